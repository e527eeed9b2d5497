"""The servers under test: the sample place with questions of every kind and with keys, and an install of two places."""

import pathlib
import re
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]

# One question of each datatype, for a service that the sample place asks nothing about.
ASKED = "GY-SG"
QUESTIONS = """\
GY-SG,pipe,singlevaluelist,yes,yes,管道类型,Kind of pipe,只选一项,Choose one,main=主管/Main|branch=支管/Branch
GY-SG,harm,multivaluelist,yes,yes,影响了什么,What is affected,,,road=道路/Road|home=住宅/Homes|shop=商铺/Shops
GY-SG,depth,number,yes,no,积水几厘米,Centimetres of water,,,
GY-SG,since,datetime,yes,no,何时开始,Since when,,,
GY-SG,sign,string,yes,no,井盖编号,Number on the cover,,,
GY-SG,more,text,yes,no,其他情况,Anything else,,,
GY-SG,advice,text,no,no,请远离漏水处,Keep away from the leak,,,
"""


def sample_with_keys(folder):
    shutil.copytree(ROOT / "examples/three-rivers", folder)
    settings = folder / "jurisdiction.toml"
    settings.write_text(settings.read_text("utf-8").replace("anonymous_reports = true", "anonymous_reports = false"), "utf-8")
    with (folder / "questions.csv").open("a", encoding="utf-8") as questions:
        questions.write(QUESTIONS)


def tiny(folder, code, west):
    """A place of one square, 0.1 degrees wide."""
    folder.mkdir(parents=True)
    east, corner = west + 0.1, lambda lon, lat: f"[{lon:.1f},{lat}]"
    ring = ",".join([corner(west, 10), corner(east, 10), corner(east, 10.1), corner(west, 10.1), corner(west, 10)])
    files = {
        "jurisdiction.toml": f'code = "{code}"\nname = "{code}"\ntime_zone = "UTC"\nlanguages = ["en"]\n',
        "areas.geojson": '{"type":"FeatureCollection","features":[\n{"type":"Feature","properties":{"code":"1","level":0,'
                         f'"name":"{code}"}},"geometry":{{"type":"Polygon","coordinates":[[{ring}]]}}}}\n]}}\n',
        "units.csv": "code,name,kind,area\nST,Station,station,1\n",
        "posts.csv": "code,name,unit,roles\nST-D,Desk,ST,dispatcher\n",
        "services.csv": f"code,group,name\nG,-,All\n{code}-LAMP,G,Lamp\n",
        "standards.csv": f"code,service,resolve\nS,{code}-LAMP,2d working\n",
        "routing.csv": "matter,area,unit\n*,*,ST\n",
    }
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")


class Server:
    def __init__(self, whistle, data):
        self.log = open(f"{data}.log", "w+")
        self.process = subprocess.Popen(
            [whistle, "serve", "--data", data, "--listen", "127.0.0.1:0", "--rate", "0", "--log", "warn"],
            stdout=subprocess.PIPE, stderr=self.log, text=True)
        line = self.process.stdout.readline()
        address = re.search(r"http://\S+", line)
        if not address:
            self.stop()
            raise SystemExit(f"the server did not start: {line}{self.said()}")
        self.url = address.group()

    def said(self):
        self.log.seek(0)
        return self.log.read()

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}: {done.stdout}{done.stderr}")
    return done.stdout


def rename(whistle, folder):
    """Calls a service of the second install otherwise, while it is served."""
    services = folder / "east/services.csv"
    services.write_text(services.read_text("utf-8").replace("Lamp", "Lantern"), "utf-8")
    run(whistle, "apply", folder / "east", "--data", folder / "two")


def start(whistle, folder):
    """Both servers, and the key of the first."""
    sample_with_keys(folder / "sample")
    run(whistle, "demo", "--place", folder / "sample", "--dir", folder / "data", "--cases", "800", "--seed", "1", "--no-serve")
    key = run(whistle, "key", "add", "suite", "--data", folder / "data").split()[-1]
    for code, west in (("east", 2.0), ("west", 1.0)):
        tiny(folder / code, code, west)
        run(whistle, "apply", folder / code, "--data", folder / "two")
    return Server(whistle, folder / "data"), Server(whistle, folder / "two"), key
