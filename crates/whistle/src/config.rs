//! The settings: what each means, its default, and where its value came from.
//! Defaults are weaker than the file, the file than the environment, the environment than flags.

use std::{env, fmt::Display, net::IpAddr, path::PathBuf, str::FromStr, time::Duration};

use clap::{Args, ValueHint};
use figment::{
    Figment, Metadata, Profile, Provider,
    providers::{Format, Toml},
    value::{Dict, Map, Value},
};
use serde::Serialize;
use whistle_domain::{
    rights::{Role, UnknownRole},
    words::Text,
};
use whistle_service::{
    Bucket, Site,
    notices::{Outgoing, Outlet},
    provider::{self, Counts},
    secret::Keys,
};

use crate::failure::{Failure, Result};

/// One setting. Its flag is `--` and the name with dashes, its variable `WHISTLE_` and the name in capitals.
pub(crate) struct Setting {
    pub name: &'static str,
    pub default: &'static str,
    /// A value to show where the default is empty.
    example: &'static str,
    pub meaning: &'static str,
    /// Whether its value holds what nobody may read over a shoulder.
    is_secret: bool,
}

impl Setting {
    const fn secret(mut self) -> Self {
        self.is_secret = true;
        self
    }
}

const fn setting(name: &'static str, default: &'static str, meaning: &'static str) -> Setting {
    Setting {
        name,
        default,
        example: default,
        meaning,
        is_secret: false,
    }
}

const fn unset(name: &'static str, example: &'static str, meaning: &'static str) -> Setting {
    Setting {
        name,
        default: "",
        example,
        meaning,
        is_secret: false,
    }
}

/// All settings, in the order in which they are shown.
pub(crate) const SETTINGS: [Setting; 34] = [
    setting(
        "data",
        "whistle-data",
        "the folder of the database, the secret key and the photos",
    ),
    unset(
        "database_url",
        "postgres://whistle@localhost/whistle?sslmode=verify-full",
        "the address of a PostgreSQL database; empty: SQLite in the data folder",
    )
    .secret(),
    unset(
        "secret_key",
        "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef",
        "the install's key as 64 hexadecimal digits, earlier ones after it with commas, for processes on several machines; \
         empty: secret.key in the data folder",
    )
    .secret(),
    unset(
        "media",
        "s3://bucket/prefix",
        "where the photos are, in an S3-compatible store that AWS_… variables say how to reach; empty: in the data folder",
    ),
    unset(
        "breached_passwords",
        "/srv/passwords/sorted-sha1.txt",
        "a file of passwords that nobody may choose: one a line, or sorted SHA-1 in hexadecimal with or without counts",
    ),
    unset(
        "second_factor_for",
        "administrator, lead",
        "roles of posts.csv whose accounts must have a second factor, by commas",
    ),
    unset(
        "oidc_issuer",
        "https://login.example.org/realms/city",
        "the address of an OpenID Connect provider that signs staff in too; empty: none",
    ),
    unset(
        "oidc_client_id",
        "whistle",
        "what the provider knows Whistle by; needed with oidc_issuer",
    ),
    unset(
        "oidc_client_secret",
        "the secret that the provider gave out",
        "by which Whistle shows the provider that it is that; needed with oidc_issuer",
    )
    .secret(),
    setting(
        "oidc_label_zh",
        "统一身份认证",
        "what the sign-in page calls the provider, in Chinese",
    ),
    setting(
        "oidc_label_en",
        "Work account",
        "what the sign-in page calls the provider, in English",
    ),
    setting(
        "oidc_scopes",
        "email",
        "what is asked of the provider besides openid, with spaces: what it needs to tell the name",
    ),
    setting(
        "oidc_name_claim",
        "email",
        "the claim with the name by which an administrator links an account; email counts only where it is verified",
    ),
    setting(
        "oidc_second_factor",
        "never",
        "whether the provider counts as a second factor: never, always, or by commas what its token must say one of, such as \
         amr:mfa or acr:gold",
    ),
    setting(
        "listen",
        "127.0.0.1:8311",
        "the address and port to listen on; port 0 takes a free one",
    ),
    unset(
        "base_url",
        "https://whistle.example.org",
        "the address under which the public reaches this install; empty: the Host of each request",
    ),
    setting(
        "max_body",
        "64 MiB",
        "the most bytes of a request's body, photos included; more is answered 413",
    ),
    setting(
        "timeout",
        "30s",
        "how long a request may take; longer is answered 503",
    ),
    setting(
        "concurrency",
        "512",
        "requests worked on at once; more are answered 503",
    ),
    setting(
        "connections",
        "4096",
        "connections held open at once; more wait to be taken",
    ),
    setting(
        "rate",
        "20",
        "requests per second and address over time, 0 for no limit; more are answered 429",
    ),
    setting(
        "burst",
        "200",
        "requests an address may send at once before the rate counts",
    ),
    unset(
        "trusted_proxies",
        "127.0.0.1, ::1",
        "addresses of proxies whose X-Forwarded-For is believed",
    ),
    setting(
        "header_timeout",
        "10s",
        "how long a connection may take to send the head of its next request, idle time included",
    ),
    setting(
        "drain",
        "0s",
        "how long a stop goes on as before, only that /readyz says 503: a bit longer than a balancer needs to notice",
    ),
    setting(
        "stop_within",
        "30s",
        "how long a stop then waits for requests under way",
    ),
    setting(
        "log",
        "info",
        "what is logged (by commands that do not serve, warn unless set): error, warn, info, debug, or rules such as info,whistle_store=debug",
    ),
    setting(
        "log_format",
        "text",
        "how it is logged: text, or json with one object a line",
    ),
    unset(
        "smtp",
        "smtps://whistle:password@mail.example.org:465",
        "the server that takes mail; smtp://HOST:587?tls=required for STARTTLS; empty: no mail is sent",
    )
    .secret(),
    unset(
        "mail_from",
        "Three Rivers <whistle@example.org>",
        "whom mail is from; needed with smtp",
    ),
    unset(
        "mail_reply",
        "reply@example.org",
        "the address whose mail, also to reply+…@, is given to `whistle mail-in`; empty: answers go to mail_from",
    ),
    setting(
        "private_webhooks",
        "false",
        "whether webhooks and push services may be on this machine or its network",
    ),
    unset(
        "basemap",
        "/srv/maps/county.pmtiles",
        "a PMTiles file that the map is drawn on, or a folder of them, each named CODE.pmtiles by its place; empty: the place's own grid",
    ),
    setting("metrics", "true", "whether /metrics tells figures for Prometheus"),
];

/// Where a file is looked for when none is named.
const FILES: [&str; 2] = ["whistle.toml", "/etc/whistle/whistle.toml"];

/// Flags that every command takes.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Flags {
    /// The data folder [default: whistle-data]
    #[arg(long, global = true, value_name = "DIR", value_hint = ValueHint::DirPath)]
    data: Option<String>,
    /// A PostgreSQL database instead of SQLite in the data folder; with a password, better WHISTLE_DATABASE_URL
    #[arg(long, global = true, value_name = "URL")]
    database_url: Option<String>,
    /// The configuration file [default: whistle.toml here, else /etc/whistle/whistle.toml, if there is one]
    #[arg(long, global = true, value_name = "FILE", env = "WHISTLE_CONFIG", value_hint = ValueHint::FilePath)]
    config: Option<PathBuf>,
    /// What to log, such as warn or info,whistle_store=debug [default: info]
    #[arg(long, global = true, value_name = "RULES")]
    log: Option<String>,
    /// How to log: text or json [default: text]
    #[arg(long, global = true, value_name = "FORMAT")]
    log_format: Option<String>,
}

/// Flags of the commands that serve.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ServeFlags {
    /// Where to listen [default: 127.0.0.1:8311]
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// The address under which the public reaches this install
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// The most bytes of a request's body [default: 64 MiB]
    #[arg(long, value_name = "SIZE")]
    max_body: Option<String>,
    /// How long a request may take [default: 30s]
    #[arg(long, value_name = "TIME")]
    timeout: Option<String>,
    /// Requests worked on at once [default: 512]
    #[arg(long, value_name = "N")]
    concurrency: Option<String>,
    /// Connections held open at once [default: 4096]
    #[arg(long, value_name = "N")]
    connections: Option<String>,
    /// Requests per second and address, 0 for no limit [default: 20]
    #[arg(long, value_name = "N")]
    rate: Option<String>,
    /// Requests an address may send at once [default: 200]
    #[arg(long, value_name = "N")]
    burst: Option<String>,
    /// Proxies whose X-Forwarded-For is believed, by commas
    #[arg(long, value_name = "ADDRS")]
    trusted_proxies: Option<String>,
    /// How long the head of a request may take [default: 10s]
    #[arg(long, value_name = "TIME")]
    header_timeout: Option<String>,
    /// How long a stop goes on serving while /readyz says 503 [default: 0s]
    #[arg(long, value_name = "TIME")]
    drain: Option<String>,
    /// How long a stop then waits for requests under way [default: 30s]
    #[arg(long, value_name = "TIME")]
    stop_within: Option<String>,
    /// A PMTiles file that the map is drawn on, or a folder of them
    #[arg(long, value_name = "FILE", value_hint = ValueHint::AnyPath)]
    basemap: Option<String>,
    /// Whether /metrics tells figures: true or false [default: true]
    #[arg(long, value_name = "BOOL")]
    metrics: Option<String>,
}

/// The settings as the program uses them.
#[derive(Clone)]
pub(crate) struct Config {
    pub site: Site,
    pub listen: String,
    pub base_url: Option<String>,
    pub max_body: usize,
    pub timeout: Duration,
    pub concurrency: usize,
    pub connections: u32,
    pub rate: u32,
    pub burst: u32,
    pub trusted_proxies: Vec<IpAddr>,
    pub header_timeout: Duration,
    pub drain: Duration,
    pub stop_within: Duration,
    pub log: String,
    pub log_format: LogFormat,
    pub metrics: bool,
    pub basemap: Option<PathBuf>,
    pub outgoing: Outgoing,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

/// A setting as it stands, for `whistle config`.
#[derive(Debug, Serialize)]
pub(crate) struct Standing {
    pub name: &'static str,
    pub value: String,
    pub default: &'static str,
    /// `default`, the file, the variable or the flag.
    pub from: String,
    pub meaning: &'static str,
}

/// The settings of all layers.
pub(crate) struct Layers(Figment);

impl Layers {
    /// Gathers the layers; refuses a file that cannot be read or has a setting that is none.
    pub(crate) fn gather(flags: &Flags, serve: Option<&ServeFlags>) -> Result<Self> {
        let defaults = Layer {
            name: "default",
            values: SETTINGS.iter().map(|s| (s.name, s.default.to_owned())).collect(),
        };
        let environment = Layer {
            name: "environment",
            values: SETTINGS
                .iter()
                .filter_map(|s| Some((s.name, env::var(variable(s.name)).ok()?)))
                .collect(),
        };
        let mut figment = Figment::from(defaults);
        if let Some(file) = file(flags)? {
            figment = figment.merge(file);
        }
        let figment = figment.merge(environment).merge(flags.layer(serve));
        Ok(Self(figment))
    }

    /// The settings, each checked.
    pub(crate) fn config(&self) -> Result<Config> {
        Ok(Config {
            site: Site {
                dir: self.parsed("data", path)?,
                database_url: self.parsed("database_url", database_url)?,
                key: self.parsed("secret_key", key)?,
                media: self.parsed("media", bucket)?,
                breached_passwords: self.parsed("breached_passwords", |text| {
                    Ok((!text.is_empty()).then(|| text.into()))
                })?,
                second_factor_for: self.parsed("second_factor_for", roles)?,
                provider: self.provider()?,
            },
            listen: self.parsed("listen", address)?,
            base_url: self.parsed("base_url", base_url)?,
            max_body: self.parsed("max_body", size)?,
            timeout: self.parsed("timeout", duration)?,
            concurrency: self.parsed("concurrency", at_least_one)?,
            connections: self.parsed("connections", at_least_one)?,
            rate: self.parsed("rate", number)?,
            burst: self.parsed("burst", at_least_one)?,
            trusted_proxies: self.parsed("trusted_proxies", addresses)?,
            header_timeout: self.parsed("header_timeout", duration)?,
            drain: self.parsed("drain", duration_or_none)?,
            stop_within: self.parsed("stop_within", duration)?,
            log: self.parsed("log", rules)?,
            log_format: self.parsed("log_format", format)?,
            metrics: self.parsed("metrics", yes_no)?,
            basemap: self.parsed("basemap", |text| Ok((!text.is_empty()).then(|| text.into())))?,
            outgoing: self.outgoing()?,
        })
    }

    fn provider(&self) -> Result<Option<provider::Provider>> {
        let Some(issuer) = self.parsed("oidc_issuer", issuer)? else {
            return Ok(None);
        };
        let needed = |name| {
            self.parsed(name, text)?.ok_or_else(|| {
                Failure::Usage(format!(
                    "setting oidc_issuer is set, and {name} is not; write what the provider gave out for Whistle"
                ))
            })
        };
        Ok(Some(provider::Provider {
            issuer,
            client_id: needed("oidc_client_id")?,
            client_secret: needed("oidc_client_secret")?,
            label: Text {
                own: self.text("oidc_label_en"),
                zh: self.parsed("oidc_label_zh", text)?,
                en: self.parsed("oidc_label_en", text)?,
            },
            scopes: self
                .text("oidc_scopes")
                .split_whitespace()
                .map(str::to_owned)
                .collect(),
            name_claim: self.parsed("oidc_name_claim", |claim| {
                text(claim)?.ok_or_else(|| "write the name of a claim, such as email".to_owned())
            })?,
            second_factor: self.parsed("oidc_second_factor", counts)?,
        }))
    }

    fn outgoing(&self) -> Result<Outgoing> {
        let smtp = self.parsed("smtp", text)?;
        let from = self.parsed("mail_from", text)?;
        if smtp.is_some() && from.is_none() {
            let why = "setting smtp is set, and mail_from is not; write whom mail is from";
            return Err(Failure::Usage(why.to_owned()));
        }
        let reply = self.parsed("mail_reply", text)?;
        let outlet = |(smtp, from)| Outlet {
            smtp,
            from,
            reply,
            timeout: Outlet::TIMEOUT,
        };
        Ok(Outgoing {
            mail: smtp.zip(from).map(outlet),
            base_url: self.parsed("base_url", base_url)?,
            private_webhooks: self.parsed("private_webhooks", yes_no)?,
        })
    }

    /// Every setting with its value and where that came from.
    pub(crate) fn standing(&self) -> Vec<Standing> {
        let stand = |setting: &Setting| Standing {
            name: setting.name,
            value: match self.text(setting.name) {
                value if setting.is_secret && !value.is_empty() => "(set, and not shown)".to_owned(),
                value => value,
            },
            default: setting.default,
            from: self.source(setting.name),
            meaning: setting.meaning,
        };
        SETTINGS.iter().map(stand).collect()
    }

    /// Whether nobody has set a setting.
    pub(crate) fn is_default(&self, name: &str) -> bool {
        self.source(name) == "default"
    }

    fn parsed<T>(&self, name: &str, parse: impl Fn(&str) -> Result<T, String>) -> Result<T> {
        let text = self.text(name);
        parse(text.trim()).map_err(|why| {
            Failure::Usage(format!(
                "setting {name}{}, from {}: {why}",
                if is_secret(name) {
                    String::new()
                } else {
                    format!(" = {text:?}")
                },
                self.source(name)
            ))
        })
    }

    fn text(&self, name: &str) -> String {
        self.0
            .find_value(name)
            .map(|value| as_text(&value))
            .unwrap_or_default()
    }

    fn source(&self, name: &str) -> String {
        let Some(metadata) = self.0.find_metadata(name) else {
            return "default".to_owned();
        };
        match (
            metadata.name.as_ref(),
            metadata.source.as_ref().and_then(|source| source.file_path()),
        ) {
            (_, Some(path)) => path.display().to_string(),
            ("environment", _) => variable(name),
            ("flag", _) => format!("--{}", name.replace('_', "-")),
            (other, _) => other.to_owned(),
        }
    }
}

/// Variables that look like settings and are none. Not refused: Kubernetes sets `WHISTLE_PORT` and the like by itself.
pub(crate) fn unknown_variables() -> Vec<String> {
    let is_unknown = |name: &String| {
        name.starts_with("WHISTLE_")
            && name != "WHISTLE_CONFIG"
            && SETTINGS.iter().all(|s| variable(s.name) != *name)
    };
    let mut names: Vec<String> = env::vars_os()
        .filter_map(|(name, _)| name.into_string().ok())
        .filter(is_unknown)
        .collect();
    names.sort();
    names
}

/// A file with every setting, each out of force, with its meaning.
pub(crate) fn example() -> String {
    let head = "# Settings of Whistle. Weaker than WHISTLE_… variables, which are weaker than flags.\n\
                    # `whistle config` shows what is in force and where it came from.\n"
        .to_owned();
    SETTINGS.iter().fold(head, |text, setting| {
        let bare = setting.example.parse::<u64>().is_ok() || setting.example.parse::<bool>().is_ok();
        let value = match (setting.name, bare) {
            ("trusted_proxies", _) => "[\"127.0.0.1\", \"::1\"]".to_owned(),
            (_, true) => setting.example.to_owned(),
            (_, false) => format!("{:?}", setting.example),
        };
        let (name, meaning) = (setting.name, setting.meaning);
        text + &format!("\n# {meaning}\n# {name} = {value}\n")
    })
}

/// The variable of a setting.
pub(crate) fn variable(name: &str) -> String {
    format!("WHISTLE_{}", name.to_uppercase())
}

impl Flags {
    fn layer(&self, serve: Option<&ServeFlags>) -> Layer {
        let nothing = ServeFlags::default();
        let serve = serve.unwrap_or(&nothing);
        let given = [
            ("data", &self.data),
            ("database_url", &self.database_url),
            ("listen", &serve.listen),
            ("base_url", &serve.base_url),
            ("max_body", &serve.max_body),
            ("timeout", &serve.timeout),
            ("concurrency", &serve.concurrency),
            ("connections", &serve.connections),
            ("rate", &serve.rate),
            ("burst", &serve.burst),
            ("trusted_proxies", &serve.trusted_proxies),
            ("header_timeout", &serve.header_timeout),
            ("drain", &serve.drain),
            ("stop_within", &serve.stop_within),
            ("log", &self.log),
            ("log_format", &self.log_format),
            ("metrics", &serve.metrics),
            ("basemap", &serve.basemap),
        ];
        let values = given
            .into_iter()
            .filter_map(|(name, value)| Some((name, value.clone()?)));
        Layer {
            name: "flag",
            values: values.collect(),
        }
    }
}

/// Settings given as text.
struct Layer {
    name: &'static str,
    values: Vec<(&'static str, String)>,
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.name)
    }

    fn data(&self) -> figment::Result<Map<Profile, Dict>> {
        let values = self.values.iter();
        let dict = values.map(|(name, value)| ((*name).to_owned(), Value::from(value.as_str())));
        Ok(Map::from([(Profile::Default, dict.collect())]))
    }
}

fn file(flags: &Flags) -> Result<Option<figment::providers::Data<Toml>>> {
    let path = match &flags.config {
        Some(path) if !path.is_file() => {
            return Err(Failure::Usage(format!(
                "{}: there is no such file; `whistle config --example > {0}` makes one",
                path.display()
            )));
        }
        Some(path) => path.clone(),
        None => match FILES.iter().map(PathBuf::from).find(|path| path.is_file()) {
            Some(path) => path,
            None => return Ok(None),
        },
    };
    let file = Toml::file_exact(&path);
    let faulty = |why: String| Failure::Usage(format!("{}: {why}", path.display()));
    let dict: Dict = Figment::from(&file)
        .extract()
        .map_err(|error| faulty(error.kind.to_string()))?;
    match dict.keys().find(|key| SETTINGS.iter().all(|s| s.name != *key)) {
        Some(key) => Err(faulty(format!(
            "there is no setting {key:?}; `whistle config` lists them all"
        ))),
        None => Ok(Some(file)),
    }
}

fn as_text(value: &Value) -> String {
    match value {
        Value::String(_, text) => text.clone(),
        Value::Char(_, letter) => letter.to_string(),
        Value::Bool(_, yes) => yes.to_string(),
        Value::Num(_, n) => n
            .to_i128()
            .map(|n| n.to_string())
            .or_else(|| n.to_f64().map(|n| n.to_string()))
            .unwrap_or_default(),
        Value::Array(_, values) => values.iter().map(as_text).collect::<Vec<_>>().join(", "),
        Value::Empty(..) | Value::Dict(..) => String::new(),
    }
}

fn path(text: &str) -> Result<PathBuf, String> {
    match text {
        "" => Err("name a folder".to_owned()),
        text => Ok(text.into()),
    }
}

/// What is checked where it is used.
#[expect(clippy::unnecessary_wraps, reason = "it stands among those that can refuse")]
fn text(text: &str) -> Result<Option<String>, String> {
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

fn roles(text: &str) -> Result<Vec<Role>, String> {
    text.split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty())
        .map(|word| word.parse().map_err(|wrong: UnknownRole| wrong.to_string()))
        .collect()
}

/// Where tokens come from must be known by its certificate; on this machine there is none.
fn issuer(text: &str) -> Result<Option<String>, String> {
    const HERE: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];
    if text.is_empty() {
        return Ok(None);
    }
    let is_here = |address: &str| {
        let host = address.split('/').next().unwrap_or_default();
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        HERE.contains(&name) || HERE.contains(&host)
    };
    let is_safe = text.strip_prefix("https://").is_some_and(|rest| !rest.is_empty())
        || text.strip_prefix("http://").is_some_and(is_here);
    if is_safe && !text.contains([' ', '?', '#']) {
        Ok(Some(text.to_owned()))
    } else {
        Err("write the provider's address as its tokens have it, such as https://login.example.org/realms/city".to_owned())
    }
}

fn counts(text: &str) -> Result<Counts, String> {
    let words: Vec<String> = text
        .split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    let is_claim = |word: &String| {
        let value = word.strip_prefix("acr:").or_else(|| word.strip_prefix("amr:"));
        value.is_some_and(|value| !value.is_empty())
    };
    match words.as_slice() {
        [word] if word == "never" => Ok(Counts::Never),
        [word] if word == "always" => Ok(Counts::Always),
        [_, ..] if words.iter().all(is_claim) => Ok(Counts::When(words)),
        _ => Err("write never, always, or values such as amr:mfa, acr:gold by commas".to_owned()),
    }
}

fn database_url(text: &str) -> Result<Option<String>, String> {
    match text {
        "" => Ok(None),
        text if text.starts_with("postgres://") || text.starts_with("postgresql://") => {
            Ok(Some(text.to_owned()))
        }
        _ => Err("write postgres://user@host/database".to_owned()),
    }
}

fn bucket(text: &str) -> Result<Option<Bucket>, String> {
    (!text.is_empty()).then(|| text.parse()).transpose()
}

fn key(text: &str) -> Result<Option<Keys>, String> {
    (!text.is_empty()).then(|| text.parse()).transpose()
}

fn is_secret(name: &str) -> bool {
    SETTINGS
        .iter()
        .any(|setting| setting.name == name && setting.is_secret)
}

fn address(text: &str) -> Result<String, String> {
    let port = text
        .rsplit_once(':')
        .map(|(host, port)| (host, port.parse::<u16>()));
    match port {
        Some((host, Ok(_))) if !host.is_empty() => Ok(text.to_owned()),
        _ => Err("write ADDRESS:PORT, such as 127.0.0.1:8311 or [::]:8311".to_owned()),
    }
}

fn base_url(text: &str) -> Result<Option<String>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let is_url = text.starts_with("http://") || text.starts_with("https://");
    if is_url && !text.contains(char::is_whitespace) {
        Ok(Some(text.trim_end_matches('/').to_owned()))
    } else {
        Err("write an address such as https://whistle.example.org".to_owned())
    }
}

fn number<T: FromStr<Err: Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| "write a whole number".to_owned())
}

fn at_least_one<T: FromStr<Err: Display> + PartialOrd + From<u8>>(text: &str) -> Result<T, String> {
    let n = number::<T>(text)?;
    if n < T::from(1) {
        Err("write a whole number, at least 1".to_owned())
    } else {
        Ok(n)
    }
}

fn size(text: &str) -> Result<usize, String> {
    const UNITS: [(&str, usize); 8] = [
        ("", 1),
        ("b", 1),
        ("kb", 1_000),
        ("kib", 1 << 10),
        ("mb", 1_000_000),
        ("mib", 1 << 20),
        ("gb", 1_000_000_000),
        ("gib", 1 << 30),
    ];
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (n, unit) = text.split_at(digits);
    let unit = unit.trim().to_lowercase();
    let bytes = UNITS
        .iter()
        .find(|(name, _)| *name == unit)
        .and_then(|(_, factor)| n.parse::<usize>().ok()?.checked_mul(*factor));
    bytes
        .filter(|bytes| *bytes > 0)
        .ok_or_else(|| "write a size such as 64 MiB, 500 kB or 65536".to_owned())
}

fn duration_or_none(text: &str) -> Result<Duration, String> {
    match text {
        "0" | "0s" => Ok(Duration::ZERO),
        text => duration(text),
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<u64>().ok().map(Duration::from_secs);
    let spelled = || text.parse::<jiff::SignedDuration>().ok()?.try_into().ok();
    seconds
        .or_else(spelled)
        .filter(|duration: &Duration| !duration.is_zero())
        .ok_or_else(|| "write a duration such as 30s, 500ms or 2m".to_owned())
}

fn addresses(text: &str) -> Result<Vec<IpAddr>, String> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts
        .map(|part| {
            part.parse::<IpAddr>()
                .map(|address| address.to_canonical())
                .map_err(|_| format!("{part:?} is no address; write 127.0.0.1, ::1 and the like, by commas"))
        })
        .collect()
}

fn rules(text: &str) -> Result<String, String> {
    tracing_subscriber::EnvFilter::try_new(text)
        .map(|_| text.to_owned())
        .map_err(|error| format!("{error}; write error, warn, info, debug or info,whistle_store=debug"))
}

fn format(text: &str) -> Result<LogFormat, String> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err("write text or json".to_owned()),
    }
}

fn yes_no(text: &str) -> Result<bool, String> {
    match text.to_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => Err("write true or false".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_a_good_value() {
        Layers::gather(&Flags::default(), None).unwrap().config().unwrap();
    }

    #[test]
    fn the_example_file_names_every_setting_and_is_good_when_put_in_force() {
        let file: String = example()
            .lines()
            .filter_map(|line| line.strip_prefix("# ").filter(|rest| rest.contains(" = ")))
            .fold(String::new(), |all, line| all + line + "\n");
        let figment = Figment::from(Toml::string(&file));
        for setting in &SETTINGS {
            assert!(
                figment.contains(setting.name),
                "{} is not in\n{file}",
                setting.name
            );
        }
        Layers(figment).config().unwrap();
    }

    #[test]
    fn a_provider_is_known_by_its_certificate_but_on_this_machine() {
        for good in [
            "https://login.example.org/realms/city",
            "http://127.0.0.1:8080",
            "http://[::1]:8080/a",
            "http://localhost",
        ] {
            assert_eq!(issuer(good), Ok(Some(good.to_owned())));
        }
        assert_eq!(issuer(""), Ok(None));
        for wrong in [
            "http://login.example.org",
            "https://",
            "login.example.org",
            "http://localhost.example.org",
            "https://login.example.org/?a",
        ] {
            assert!(issuer(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_counts_as_a_second_factor_is_a_word_or_values_of_claims() {
        assert_eq!(counts("never"), Ok(Counts::Never));
        assert_eq!(counts("always"), Ok(Counts::Always));
        let words = vec!["amr:mfa".to_owned(), "acr:gold".to_owned()];
        assert_eq!(counts("amr:mfa, acr:gold"), Ok(Counts::When(words)));
        for wrong in ["", "mfa", "amr:", "always, amr:mfa"] {
            assert!(counts(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_provider_without_its_secret_is_refused() {
        let file = "oidc_issuer = \"https://login.example.org\"\noidc_client_id = \"whistle\"";
        let layers = Layers::gather(&Flags::default(), None).unwrap();
        let layers = Layers(layers.0.merge(Toml::string(file)));
        let Err(Failure::Usage(why)) = layers.config() else {
            panic!("it is taken");
        };
        assert!(why.contains("oidc_client_secret is not"), "{why}");
    }

    #[test]
    fn sizes_and_durations_are_read_as_people_write_them() {
        assert_eq!(size("64 MiB"), Ok(64 << 20));
        assert_eq!(size("500kB"), Ok(500_000));
        assert_eq!(size("65536"), Ok(65_536));
        for wrong in ["", "0", "64 MiBs", "-1", "99999999999 GiB"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
        assert_eq!(duration("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(duration("45"), Ok(Duration::from_secs(45)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        for wrong in ["", "0", "-3s", "soon"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
