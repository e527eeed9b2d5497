//! What people write in the demo: a few hundred sentences from templates, in Chinese and English. No names, no numbers to
//! call, nothing personal.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use whistle_domain::{
    place::{Place, Service},
    words::Lang,
};

/// What a service is about, as far as the words for it go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Theme {
    Facilities,
    Roads,
    Cleaning,
    Green,
    Noise,
    Order,
    Building,
    Emergency,
    Livelihood,
    Law,
    Other,
}

impl Theme {
    /// Whether such a thing can be mended by the one who finds it.
    pub fn is_small(self) -> bool {
        matches!(self, Self::Cleaning | Self::Order | Self::Green)
    }

    fn details(self) -> (&'static [&'static str], &'static [&'static str]) {
        match self {
            Self::Facilities => (
                &[
                    "昨天晚上就发现了",
                    "已经坏了好几天",
                    "旁边没有任何警示",
                    "影响整栋楼",
                    "修过一次又坏了",
                    "夜里看不清，容易绊倒",
                ],
                &[
                    "since last night",
                    "it has been like this for days",
                    "there is no warning sign",
                    "the whole building is affected",
                    "it was mended once and broke again",
                    "at night one stumbles over it",
                ],
            ),
            Self::Roads => (
                &[
                    "车辆只能绕行",
                    "电动车经过很危险",
                    "雨后积水看不见坑",
                    "早高峰经常堵",
                    "就在公交站前面",
                    "面积越来越大",
                ],
                &[
                    "cars have to go around it",
                    "dangerous for cyclists",
                    "after rain the hole cannot be seen",
                    "it blocks the morning traffic",
                    "right before the bus stop",
                    "it grows from day to day",
                ],
            ),
            Self::Cleaning => (
                &[
                    "味道很大",
                    "堆了有三四天",
                    "被风吹得到处都是",
                    "占了半边人行道",
                    "每到周末就这样",
                    "招来不少蚊虫",
                ],
                &[
                    "it smells",
                    "lying there for three or four days",
                    "the wind spreads it everywhere",
                    "half the pavement is covered",
                    "the same every weekend",
                    "it draws flies",
                ],
            ),
            Self::Green => (
                &[
                    "挡住了路牌",
                    "快碰到电线",
                    "压到了停着的自行车",
                    "孩子们常在这里玩",
                    "看着随时会倒",
                    "被人踩出一条路",
                ],
                &[
                    "it hides the sign",
                    "it nearly touches the wires",
                    "it lies on parked bicycles",
                    "children play there",
                    "it may fall any time",
                    "people have trodden a path through it",
                ],
            ),
            Self::Noise => (
                &[
                    "晚上十一点以后还在响",
                    "周末早上六点就开始",
                    "关着窗也听得到",
                    "说过几次没有用",
                    "家里有老人和孩子",
                    "已经连续一周",
                ],
                &[
                    "still going on after eleven at night",
                    "from six on Sunday morning",
                    "one hears it with closed windows",
                    "asking did not help",
                    "children cannot sleep",
                    "every day for a week",
                ],
            ),
            Self::Order => (
                &[
                    "消防通道被堵",
                    "行人只能走机动车道",
                    "每天傍晚都有",
                    "停了快一个月没人动",
                    "轮椅和婴儿车过不去",
                    "管理人员一走又来",
                ],
                &[
                    "the fire lane is blocked",
                    "people must walk in the road",
                    "every evening",
                    "not moved for a month",
                    "no way through for prams and wheelchairs",
                    "they come back as soon as the patrol leaves",
                ],
            ),
            Self::Building => (
                &[
                    "晚上也在施工",
                    "没有洒水",
                    "围挡被风吹开",
                    "渣土掉在路上",
                    "没有看到告示",
                    "挖开后没有回填",
                ],
                &[
                    "work goes on at night",
                    "nothing is done against the dust",
                    "the fence stands open",
                    "soil falls on the road",
                    "there is no notice",
                    "the trench was not filled",
                ],
            ),
            Self::Emergency => (
                &[
                    "水已经没过脚面",
                    "有车陷在里面",
                    "附近居民很担心",
                    "范围还在扩大",
                    "需要马上有人来",
                    "已经自行拉了绳子",
                ],
                &[
                    "the water is over one's shoes",
                    "a car is stuck",
                    "the neighbours are worried",
                    "it is getting bigger",
                    "somebody must come at once",
                    "we put a rope around it",
                ],
            ),
            Self::Livelihood => (
                &[
                    "跑了两趟没有办成",
                    "想了解需要什么材料",
                    "答复和上次不一样",
                    "拖了一个多月",
                    "好几户都有同样的问题",
                    "希望有人上门看一下",
                ],
                &[
                    "we went there twice for nothing",
                    "which papers are needed",
                    "the answer was another one last time",
                    "open for more than a month",
                    "several households have the same",
                    "please have somebody come and look",
                ],
            ),
            Self::Law => (
                &[
                    "双方都愿意调解",
                    "想约个时间当面谈",
                    "合同没有写清楚",
                    "不知道该找哪个部门",
                    "费用负担不起",
                    "协商过没有结果",
                ],
                &[
                    "both sides would agree to mediation",
                    "we would like an appointment",
                    "the contract is not clear",
                    "we do not know whom to ask",
                    "we cannot pay a lawyer",
                    "talking led to nothing",
                ],
            ),
            Self::Other => (
                &[
                    "请看现场",
                    "之前也反映过",
                    "附近好几处都这样",
                    "影响大家出行",
                    "拍了照片可以提供",
                    "不急但请处理",
                ],
                &[
                    "please have a look",
                    "reported before",
                    "the same in several places nearby",
                    "it is in everybody's way",
                    "there are photos if needed",
                    "not urgent, but please see to it",
                ],
            ),
        }
    }
}

/// Words in codes, names and keywords by which a service's theme is told.
const SIGNS: [(Theme, &[&str]); 10] = [
    (
        Theme::Emergency,
        &[
            "emergenc",
            "flood",
            "dyke",
            "fire hazard",
            "collapse",
            "spill",
            "突发",
        ],
    ),
    (
        Theme::Cleaning,
        &[
            "rubbish",
            "waste",
            "bin",
            "dirty",
            "graffiti",
            "clean",
            "toilet",
            "snow",
            "collection",
            "dumping",
            "abfall",
            "sauber",
            "垃圾",
            "环卫",
            "清潔",
            "unsanitary",
            "rodent",
            "pest",
        ],
    ),
    (
        Theme::Noise,
        &[
            "noise",
            "fume",
            "噪",
            "discharge",
            "straw",
            "air quality",
            "dust",
            "lärm",
        ],
    ),
    (Theme::Law, &["legal", "mediation", "法律", "dispute", "lawyer"]),
    (
        Theme::Livelihood,
        &[
            "livelihood",
            "elderly",
            "wage",
            "food",
            "consumer",
            "property",
            "job",
            "hardship",
            "school",
            "housing",
            "paint",
            "door",
            "appliance",
            "民生",
            "homeless",
            "taxi",
            "general",
        ],
    ),
    (
        Theme::Green,
        &[
            "tree",
            "lawn",
            "park equipment",
            "green",
            "playground",
            "grün",
            "animal",
            "绿",
            "綠",
        ],
    ),
    (
        Theme::Order,
        &[
            "parking",
            "driveway",
            "vehicle",
            "trading",
            "bicycle",
            "dog",
            "poster",
            "sign board",
            "billboard",
            "shop sign",
            "unlawful building",
            "vendor",
            "秩序",
            "违停",
            "違規",
        ],
    ),
    (
        Theme::Building,
        &["construction", "site", "digging", "building", "施工", "工地"],
    ),
    (
        Theme::Roads,
        &[
            "road",
            "street",
            "pavement",
            "pothole",
            "signal",
            "sidewalk",
            "bridge",
            "sign",
            "traffic",
            "bus stop",
            "strasse",
            "道路",
            "vbz",
            "transport",
        ],
    ),
    (
        Theme::Facilities,
        &[
            "lamp", "light", "water", "sewer", "leak", "power", "gas", "heating", "telecom", "manhole",
            "hydrant", "plumbing", "electric", "fountain", "设施", "brunnen", "drain",
        ],
    ),
];

pub(super) fn theme_of(place: &Place, service: &Service) -> Theme {
    let group = service
        .group
        .as_ref()
        .and_then(|code| place.service(code.as_str()));
    let words = |service: &Service| {
        let name = &service.name;
        let parts = [Some(&name.own), name.en.as_ref(), name.zh.as_ref()];
        let mut all: Vec<String> = parts.into_iter().flatten().cloned().collect();
        all.extend(service.keywords.iter().cloned());
        all.join(" ").to_lowercase()
    };
    let told = |text: &str| {
        SIGNS
            .iter()
            .find(|(_, signs)| signs.iter().any(|sign| text.contains(sign)))
            .map(|(theme, _)| *theme)
    };
    told(&words(service))
        .or_else(|| group.and_then(|group| told(&words(group))))
        .unwrap_or(Theme::Other)
}

fn one<'a>(rng: &mut ChaCha8Rng, of: &[&'a str]) -> &'a str {
    of[rng.random_range(0..of.len())]
}

/// What a reporter writes.
pub(super) fn description(rng: &mut ChaCha8Rng, lang: Lang, theme: Theme, service: &Service) -> String {
    let name = service.name.get(lang);
    let (zh, en) = theme.details();
    match lang {
        Lang::Zh => {
            let place = one(
                rng,
                &[
                    "小区门口",
                    "路口",
                    "学校旁",
                    "楼下",
                    "市场边",
                    "公园入口",
                    "村口",
                    "桥头",
                ],
            );
            let ask = one(
                rng,
                &[
                    "请尽快处理。",
                    "希望有人来看看。",
                    "麻烦了。",
                    "谢谢！",
                    "请回复处理结果。",
                ],
            );
            format!("{place}{name}，{}，{ask}", one(rng, zh))
        }
        Lang::En => {
            let place = one(
                rng,
                &[
                    "at the corner",
                    "by the school",
                    "in front of the house",
                    "near the market",
                    "at the park gate",
                    "by the bridge",
                    "behind the station",
                    "in the courtyard",
                ],
            );
            let ask = one(
                rng,
                &[
                    "Please see to it.",
                    "Thank you!",
                    "Please come and look.",
                    "Please tell me what is done.",
                ],
            );
            format!("{name} {place}, {}. {ask}", one(rng, en))
        }
    }
}

/// What goes with a deed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Say {
    Asked,
    Answered,
    Denied,
    CalledIn,
    DidItsPart,
    Spared,
    Declined,
    Referred,
    Returned,
    Handled,
    Explained,
    Unfounded,
    Spot,
    Reworked,
    Parked,
    Extended,
    Progress,
    Note,
    Again,
    Granted,
    Refused,
    Watched,
    Hidden,
    Poor,
    Thanks,
    Decided,
    Summoned,
    NotApproved,
    CalledOff,
    Raised,
    DoesNotCome,
    Minutes,
    Duty,
}

pub(super) fn say(rng: &mut ChaCha8Rng, lang: Lang, what: Say) -> &'static str {
    let (zh, en): (&[&'static str], &[&'static str]) = match what {
        Say::Declined => (
            &[
                "不属于本市受理范围，已说明受理渠道。",
                "内容过于笼统，无法核实，请补充后重新上报。",
            ],
            &[
                "Not for this city to handle; the right office was named.",
                "Too vague to act on; please report again with details.",
            ],
        ),
        Say::Referred => (
            &[
                "已转交铁路部门处理。",
                "已转交上级主管部门。",
                "属私人产权，已转告产权单位。",
            ],
            &[
                "Handed to the railway.",
                "Handed to the state authority.",
                "Private ground; the owner was told.",
            ],
        ),
        Say::Returned => (
            &[
                "不在本单位职责范围。",
                "该设施产权不属于本单位。",
                "现场核实后应由其他单位处理。",
            ],
            &[
                "Not ours to handle.",
                "The facility belongs to another unit.",
                "Seen on site: another unit must do it.",
            ],
        ),
        Say::Handled => (
            &[
                "已修复，现场恢复正常。",
                "已清理完毕。",
                "已更换损坏部件。",
                "已安排人员处理完成。",
                "已整改到位。",
                "已处置，并告知附近居民。",
            ],
            &[
                "Mended; all is in order again.",
                "Cleared.",
                "The broken part was replaced.",
                "Done by the crew.",
                "Put right.",
                "Done, and the neighbours were told.",
            ],
        ),
        Say::Explained => (
            &["按现行规定无法办理，已向反映人解释。", "属正常现象，已说明原因。"],
            &[
                "The rules do not allow it; this was explained.",
                "This is as it should be; the reason was explained.",
            ],
        ),
        Say::Unfounded => (
            &["到场后未发现所述情况。", "现场已自行恢复。"],
            &[
                "Nothing was found on site.",
                "It had righted itself when we came.",
            ],
        ),
        Say::Spot => (
            &["随手清理。", "当场劝导整改。", "当场扶正。"],
            &[
                "Cleared on the spot.",
                "Put right on the spot.",
                "Asked to move it, and they did.",
            ],
        ),
        Say::Reworked => (
            &["现场仍有残留，请继续处理。", "只修了一半。", "第二天又出现。"],
            &[
                "Some of it is still there.",
                "Only half is mended.",
                "It came back the next day.",
            ],
        ),
        Say::Parked => (
            &["等待配件到货。", "天气原因，开春后施工。", "等待产权单位确认。"],
            &[
                "Waiting for a part.",
                "Too cold to do it now; in spring.",
                "Waiting for the owner's consent.",
            ],
        ),
        Say::Extended => (
            &["工程量较大，需要延期。", "需多个单位配合，申请延期。"],
            &["More work than thought.", "Several units must come together."],
        ),
        Say::Asked => (
            &["请问具体在哪个位置？方便时请答复。", "请问现在还有这种情况吗？"],
            &["Where exactly is it, please?", "Is it still so?"],
        ),
        Say::Answered => (
            &["在小区东门旁边。", "还是这样，晚上更明显。"],
            &["Beside the east gate.", "It still is, mostly at night."],
        ),
        Say::Denied => (
            &["请按期办理。", "理由不充分，请抓紧处置。"],
            &["Please keep to the limit.", "That is no sufficient reason."],
        ),
        Say::Summoned => (
            &[
                "现场涉及多家单位，请到场会商，明确分工。",
                "多次处置未见根本好转，请相关单位现场联合处置。",
                "权属不清，请各单位到场核定责任。",
            ],
            &[
                "Several units are concerned; please come and settle who does what.",
                "It was mended more than once and comes back; please look at it together.",
                "It is not clear whose it is; please settle that on site.",
            ],
        ),
        Say::NotApproved => (
            &["单个单位可以处置，暂不吹哨。"],
            &["One unit can handle this; no whistle for now."],
        ),
        Say::CalledOff => (
            &["责任单位已到场处置，无需集中会商。"],
            &["The unit is there already; there is no need to meet."],
        ),
        Say::Raised => (
            &["涉及市级权限，提请市级协调。"],
            &["This needs a decision of the city."],
        ),
        Say::DoesNotCome => (
            &["经核实不涉及本单位设施。", "当日另有抢险任务，无法到场。"],
            &[
                "None of our facilities is concerned.",
                "The crew is at another emergency that day.",
            ],
        ),
        Say::Minutes => (
            &[
                "现场会商：由牵头单位负责主体处置，其他单位按分工配合，限期完成。",
                "各单位到场核实情况，已明确责任和时限，由站点跟踪落实。",
            ],
            &[
                "Agreed on site: the lead does the main work, the others their parts within the time set.",
                "All units saw the place; parts and times are settled, and the station follows them up.",
            ],
        ),
        Say::Duty => (
            &[
                "完成管辖设施的修复。",
                "清理现场并恢复路面。",
                "维持秩序，设置围挡和警示。",
            ],
            &[
                "Mends its own facilities.",
                "Clears the place and restores the surface.",
                "Keeps order, fences and signs the place.",
            ],
        ),
        Say::CalledIn => (
            &["请派人配合现场处置。", "请协助围挡并疏导交通。"],
            &[
                "Please help on site.",
                "Please fence it off and lead the traffic round.",
            ],
        ),
        Say::DidItsPart => (
            &["已按要求配合完成。", "围挡已撤，交通恢复。"],
            &["Our part is done.", "The fence is gone; traffic runs."],
        ),
        Say::Spared => (
            &["牵头单位已自行处理，无需配合。"],
            &["The leading unit managed by itself."],
        ),
        Say::Progress => (
            &["已到现场，正在组织施工。", "已联系养护单位。", "已列入本周计划。"],
            &[
                "On site; work is being arranged.",
                "The contractor was called.",
                "It is in this week's plan.",
            ],
        ),
        Say::Note => (
            &[
                "与反映人核对了位置。",
                "已电话告知进展。",
                "请注意同一地点有重复反映。",
            ],
            &[
                "The spot was checked with the reporter.",
                "The reporter was told how it stands.",
                "Note: reported at this spot before.",
            ],
        ),
        Say::Again => (
            &[
                "问题没有解决，请继续处理。",
                "修好后又坏了。",
                "情况和结果不一致。",
            ],
            &[
                "It is not solved; please go on.",
                "It broke again.",
                "This is not what we see here.",
            ],
        ),
        Say::Granted => (
            &["情况属实，重新处理。", "核实后同意重办。"],
            &["True; it goes on.", "Seen on site; it goes on."],
        ),
        Say::Refused => (
            &["现场核实已处理到位。", "新情况请另行上报。"],
            &[
                "Seen on site: it is done.",
                "This is another matter; please report it anew.",
            ],
        ),
        Say::Watched => (
            &["重点督办。", "多次反映，请盯办到底。"],
            &["Watched over by the lead.", "Reported often; see it through."],
        ),
        Say::Hidden => (
            &["描述涉及他人隐私，不宜公开。"],
            &["The text touches the privacy of others."],
        ),
        Say::Poor => (
            &["处理太慢。", "没有人联系我。", "效果一般。"],
            &["Too slow.", "Nobody told me anything.", "Not very good."],
        ),
        Say::Thanks => (
            &["处理很快，谢谢！", "解决了，满意。", ""],
            &["Quick work, thank you!", "Solved.", ""],
        ),
        Say::Decided => (
            &["经协调由该单位负责。", "首接负责，不得再退。"],
            &[
                "Decided by the station: this unit does it.",
                "Whoever was first sees it through.",
            ],
        ),
    };
    match lang {
        Lang::Zh => one(rng, zh),
        Lang::En => one(rng, en),
    }
}
