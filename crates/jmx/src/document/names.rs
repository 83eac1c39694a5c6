//! One name for what plans call by several: classes, properties that were renamed, and settings that
//! old windows saved in the language of their user.
//!
//! Source: `JMeter`'s `saveservice.properties`, `upgrade.properties` and the resource bundles of CSV
//! Data Set Config and Constant Throughput Timer.

use std::borrow::Cow;

/// The packages whose classes go by their short names.
const OWN_PACKAGE: &str = "org.apache.jmeter.";

/// Classes whose short name is not the end of their whole name, or that took another's place.
const CLASSES: &[(&str, &str)] = &[
    ("HTTPSampler", "HTTPSamplerProxy"),
    ("HTTPSampler2", "HTTPSamplerProxy"),
    ("HTTPSampler_", "HTTPSamplerProxy"),
    ("HTTPSampler2_", "HTTPSamplerProxy"),
    ("HTTPSamplerFull", "HTTPSamplerProxy"),
    ("Assertion", "ResponseAssertion"),
    ("DataSourceElement", "JDBCDataSource"),
    ("HttpTestSampleGui2", "HttpTestSampleGui"),
    ("RecordController", "RecordingController"),
    ("SMIMEAssertionTestElement", "SMIMEAssertion"),
    ("UrlConfigGui", "HttpDefaultsGui"),
];

/// Properties that were renamed: the class, the old name, the new one.
const PROPERTIES: &[(&str, &str, &str)] = &[
    (
        "ConstantThroughputTimer",
        "ConstantThroughputTimer.throughput",
        "throughput",
    ),
    ("Header", "TestElement.name", "Header.name"),
    ("JDBCSampler", "JDBCSampler.query", "query"),
    ("BSFSampler", "BSFSampler.filename", "filename"),
    ("BSFSampler", "BSFSampler.language", "scriptLanguage"),
    ("BSFSampler", "BSFSampler.parameters", "parameters"),
    ("BSFSampler", "BSFSampler.query", "script"),
    ("AccessLogSampler", "HTTPSampler.domain", "domain"),
    ("AccessLogSampler", "HTTPSampler.port", "portString"),
];

/// What windows saved for a setting: the property, what stands for it, and its text in the languages
/// of `JMeter`.
const SETTINGS: &[(&str, &str, &[&str])] = &[
    (
        "shareMode",
        "shareMode.all",
        &[
            "All threads",
            "Todos los hilos",
            "Toutes les unités",
            "모든 쓰레드들",
            "Wszystkie wątki",
            "Todos os usuários virtuais",
            "所有线程",
        ],
    ),
    (
        "shareMode",
        "shareMode.group",
        &[
            "Current thread group",
            "Actual grupo de hilos",
            "Groupe d'unités courant",
            "현 쓰레드 그룹",
            "Bieżąca grupa wątków",
            "Grupo de usuários atual",
            "当前线程组",
        ],
    ),
    (
        "shareMode",
        "shareMode.thread",
        &[
            "Current thread",
            "Hilo actual",
            "Unité courante",
            "현 쓰레드",
            "Bieżący wątek",
            "Usuário virtual atual",
            "当前线程",
        ],
    ),
    (
        "calcMode",
        "0",
        &[
            "calcMode.1",
            "this thread only",
            "Nur dieser Thread",
            "solamente este hilo",
            "cette unité seulement",
            "현 쓰레드만",
            "este usuário virtual (thread) somente",
            "sadece bu iş parçacığı",
            "只有此线程",
        ],
    ),
    (
        "calcMode",
        "1",
        &[
            "calcMode.2",
            "all active threads",
            "Alle aktiven Threads",
            "todos los hilos activos",
            "toutes les unités actives",
            "모든 활성화된 쓰레드들",
            "todos usuários virtuais (threads) ativos",
            "bütün aktif iş parçacıkları",
            "所有活动线程",
        ],
    ),
    (
        "calcMode",
        "2",
        &[
            "calcMode.3",
            "all active threads in current thread group",
            "Alle aktiven Threads in der aktuellen Thread-Gruppe",
            "todos los hilos activos en el grupo de hilos actual",
            "toutes les unités actives dans le groupe d'unités courant",
            "현 쓰레드 그룹 내의 모든 활성화된 쓰레드들",
            "todos usuários virtuais ativos no grupo de usuários corrente",
            "bu iş parçacığı grubundaki tüm aktif iş parçacıkları",
            "当前线程组中的所有活动线程",
        ],
    ),
    (
        "calcMode",
        "3",
        &[
            "calcMode.4",
            "all active threads (shared)",
            "Alle aktiven Threads (Gemeinsam)",
            "toutes les unités actives (partagé)",
            "모드 활성화된 쓰레드들 (공유)",
            "todos usuários virtuais ativos (compartilhado)",
            "tüm iş parçacıkları (paylaşımlı)",
            "所有活动线程（共享）",
        ],
    ),
    (
        "calcMode",
        "4",
        &[
            "calcMode.5",
            "all active threads in current thread group (shared)",
            "Alle aktiven Threads in der aktuellen Thread-Gruppe (gemeinsam)",
            "toutes les unités actives dans le groupe d'unités courant (partagé)",
            "현 쓰레드 그룹 내의 모든 활성화된 쓰레드들 (공유)",
            "todos usuários virtuais no grupo de usuários atual (compartillhado)",
            "bu iş paçacığı grubundaki tüm aktif iş parçacıkları (paylaşımlı)",
            "当前线程组中的所有活动线程（共享）",
        ],
    ),
];

/// The name of a class as the rest of the program knows it.
pub(super) fn class(written: &str) -> String {
    let unescaped = unescaped(written);
    let short = match unescaped.strip_prefix(OWN_PACKAGE) {
        Some(rest) => rest.rsplit('.').next().unwrap_or(rest),
        None => unescaped.as_ref(),
    };
    let current = CLASSES.iter().find(|(old, _)| *old == short);
    current.map_or(short, |(_, new)| new).to_owned()
}

/// The name of a property of this class as the rest of the program knows it.
pub(super) fn property<'p>(class: &str, written: &'p str) -> &'p str {
    let renamed = PROPERTIES
        .iter()
        .find(|(owner, old, _)| *owner == class && *old == written);
    renamed.map_or(written, |(_, _, new)| new)
}

/// The value of a property of this class as the rest of the program knows it: settings by their keys
/// (`shareMode.all`, `calcMode` by its number).
pub(super) fn value(class: &str, property: &str, written: String) -> String {
    if !matches!(class, "CSVDataSet" | "ConstantThroughputTimer") {
        return written;
    }
    let setting = SETTINGS
        .iter()
        .find(|(owner, _, texts)| *owner == property && texts.contains(&written.as_str()));
    setting.map_or(written, |(_, key, _)| (*key).to_owned())
}

/// Names of tags have `_-` for `$` and `__` for `_`, as `XStream` writes them.
fn unescaped(tag: &str) -> Cow<'_, str> {
    if tag.contains("__") || tag.contains("_-") {
        return Cow::Owned(tag.replace("__", "_").replace("_-", "$"));
    }
    Cow::Borrowed(tag)
}
