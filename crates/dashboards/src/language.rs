/// The language of titles, legends and descriptions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English.
    En,
    /// Traditional Chinese as it is written in Taiwan.
    ZhTw,
}

impl Language {
    /// Both languages.
    pub const ALL: [Self; 2] = [Self::En, Self::ZhTw];

    /// The folder of the language's files below `deploy/grafana/dashboards`, a tag of BCP 47.
    pub const fn folder(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::ZhTw => "zh-TW",
        }
    }

    /// The last part of the language's `uid`s, and the tag of its dashboards.
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::ZhTw => "zh-tw",
        }
    }

    /// The text of this language.
    pub(crate) const fn pick(self, english: &'static str, chinese: &'static str) -> &'static str {
        match self {
            Self::En => english,
            Self::ZhTw => chinese,
        }
    }
}
