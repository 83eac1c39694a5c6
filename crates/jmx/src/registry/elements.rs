//! The elements of `JMeter` 5.6 and of the plugins in common use.

use super::{Entry, Family, Tier, ignored, refused, runs};

mod scoped;

use scoped::{ASSERTION, CONFIG, LISTENER, POSTPROCESSOR, PREPROCESSOR, TIMER};

/// What is known of the class of an element, its name as [`crate::document`] has it.
pub fn element(class: &str) -> Option<(Family, &'static Entry)> {
    let known = ELEMENTS.iter().find_map(|(family, entries)| {
        let entry = entries.iter().find(|entry| entry.name == class);
        entry.map(|entry| (*family, entry))
    });
    let is_graph = class.starts_with(GRAPHS);
    known.or(is_graph.then_some((Family::Listener, &GRAPH)))
}

/// The package of the graphs of the plugins, listeners all of them.
const GRAPHS: &str = "kg.apc.jmeter.vizualizers.";

static GRAPH: Entry = ignored("kg.apc.jmeter.vizualizers.*", Tier::C, "graphs");

/// All of them, by what they are for.
pub static ELEMENTS: &[(Family, &[Entry])] = &[
    (Family::Plan, PLAN),
    (Family::Group, GROUP),
    (Family::Controller, CONTROLLER),
    (Family::Sampler, SAMPLER),
    (Family::Config, CONFIG),
    (Family::Timer, TIMER),
    (Family::PreProcessor, PREPROCESSOR),
    (Family::PostProcessor, POSTPROCESSOR),
    (Family::Assertion, ASSERTION),
    (Family::Listener, LISTENER),
    (Family::Tool, TOOL),
];

static PLAN: &[Entry] = &[
    runs(
        "TestPlan",
        Tier::A,
        "variables, thread groups one after another, tear-down after a stop",
    ),
    runs(
        "TestFragmentController",
        Tier::B,
        "runs only where a module controller or an include names it",
    ),
    ignored(
        "WorkBench",
        Tier::A,
        "what old versions kept beside the plan; it is not run",
    ),
];

static GROUP: &[Entry] = &[
    runs(
        "ThreadGroup",
        Tier::A,
        "users, ramp, loops, duration, delay, late creation, what follows an error",
    ),
    runs("SetupThreadGroup", Tier::B, "runs before the others"),
    runs("PostThreadGroup", Tier::B, "runs after the others"),
    runs(
        "OpenModelThreadGroup",
        Tier::B,
        "a schedule of arrivals: rate, random_arrivals, even_arrivals, pause",
    ),
    runs(
        "kg.apc.jmeter.threads.UltimateThreadGroup",
        Tier::C,
        "rows of users, start, ramp, hold and end",
    ),
    runs(
        "kg.apc.jmeter.threads.SteppingThreadGroup",
        Tier::C,
        "users in steps",
    ),
    runs(
        "com.blazemeter.jmeter.threads.concurrency.ConcurrencyThreadGroup",
        Tier::C,
        "a number of users that is kept up",
    ),
    runs(
        "com.blazemeter.jmeter.threads.arrivals.ArrivalsThreadGroup",
        Tier::C,
        "a rate of starts that is kept up",
    ),
    runs(
        "com.blazemeter.jmeter.threads.arrivals.FreeFormArrivalsThreadGroup",
        Tier::C,
        "rows of rates of starts",
    ),
];

static CONTROLLER: &[Entry] = &[
    runs("LoopController", Tier::A, "so many times, or for ever"),
    runs("GenericController", Tier::A, "keeps elements together"),
    runs("OnceOnlyController", Tier::B, "once for each user"),
    runs(
        "IfController",
        Tier::B,
        "a text that is `true`, or a condition in JavaScript of the subset",
    ),
    runs("WhileController", Tier::B, "a condition, blank or `LAST`"),
    runs(
        "ForeachController",
        Tier::B,
        "numbered variables, one after another",
    ),
    runs("SwitchController", Tier::B, "one child by number or name"),
    runs("InterleaveControl", Tier::B, "one child in turn"),
    runs("RandomController", Tier::B, "one child by chance"),
    runs(
        "RandomOrderController",
        Tier::B,
        "every child, in an order by chance",
    ),
    runs(
        "ThroughputController",
        Tier::B,
        "a share or a number of iterations",
    ),
    runs(
        "TransactionController",
        Tier::A,
        "a row for what is in it, as parent of its samples or beside them",
    ),
    runs("RunTime", Tier::B, "for so many seconds"),
    runs("CriticalSectionController", Tier::B, "one user at a time"),
    runs("ModuleController", Tier::B, "runs another part of the plan"),
    runs(
        "IncludeController",
        Tier::B,
        "runs a fragment of another file",
    ),
    runs(
        "RecordingController",
        Tier::A,
        "keeps recorded elements together",
    ),
    refused(
        "com.blazemeter.jmeter.controller.ParallelSampler",
        Tier::C,
        "not supported: samplers of one user do not run at the same time; embedded resources do",
    ),
    refused(
        "com.blazemeter.jmeter.control.WeightedSwitchController",
        Tier::C,
        "not supported yet; Throughput Controllers do the same",
    ),
    refused(
        "kg.apc.jmeter.control.ParameterizedController",
        Tier::C,
        "not supported yet; User Parameters and a Module Controller do the same",
    ),
];

static SAMPLER: &[Entry] = &[
    runs(
        "HTTPSamplerProxy",
        Tier::A,
        "HTTP and HTTPS requests; files, redirects, embedded resources, GraphQL",
    ),
    runs(
        "DebugSampler",
        Tier::B,
        "variables and properties as a sample",
    ),
    runs("TestAction", Tier::B, "pauses, stops, breaks a loop"),
    runs(
        "JavaSampler",
        Tier::B,
        "JavaTest and SleepTest; Java code of the plan's own is refused",
    ),
    runs(
        "kg.apc.jmeter.samplers.DummySampler",
        Tier::C,
        "a made-up sample",
    ),
    refused(
        "AccessLogSampler",
        Tier::G,
        "requests out of a server's log are not replayed",
    ),
    refused("AjpSampler", Tier::G, "AJP is not spoken"),
    refused("BeanShellSampler", Tier::F, "BeanShell scripts come later"),
    refused("BoltSampler", Tier::G, "no database is spoken to"),
    refused(
        "BSFSampler",
        Tier::F,
        "BSF scripts come later; JMeter gave BSF up for JSR223",
    ),
    refused("FTPSampler", Tier::G, "FTP is not spoken"),
    refused("JDBCSampler", Tier::G, "no database is spoken to"),
    refused("JMSSampler", Tier::G, "JMS is not spoken"),
    refused("JSR223Sampler", Tier::E, "JSR223 scripts come later"),
    refused("JUnitSampler", Tier::Never, "Java code of the plan's own"),
    refused("LDAPExtSampler", Tier::G, "LDAP is not spoken"),
    refused("LDAPSampler", Tier::G, "LDAP is not spoken"),
    refused(
        "MailReaderSampler",
        Tier::Never,
        "mail is neither sent nor read",
    ),
    refused("MongoScriptSampler", Tier::G, "no database is spoken to"),
    refused("PublisherSampler", Tier::G, "JMS is not spoken"),
    refused("SmtpSampler", Tier::Never, "mail is neither sent nor read"),
    refused(
        "SoapSampler",
        Tier::Never,
        "JMeter itself gave this up and runs nothing in its place; an HTTP request with a body does the same",
    ),
    refused("SubscriberSampler", Tier::G, "JMS is not spoken"),
    refused("SystemSampler", Tier::G, "no programs are started"),
    refused("TCPSampler", Tier::G, "bare TCP is not spoken"),
    refused(
        "WebServiceSampler",
        Tier::Never,
        "JMeter itself gave this up and runs nothing in its place; an HTTP request with a body does the same",
    ),
    refused(
        "com.blazemeter.jmeter.http2.sampler.HTTP2Sampler",
        Tier::G,
        "HTTP/2 is not spoken",
    ),
    refused(
        "eu.luminis.jmeter.wssampler.OpenWebSocketSampler",
        Tier::G,
        "WebSocket connections are not made",
    ),
    refused(
        "eu.luminis.jmeter.wssampler.CloseWebSocketSampler",
        Tier::G,
        "WebSocket connections are not made",
    ),
    refused(
        "eu.luminis.jmeter.wssampler.PingPongSampler",
        Tier::G,
        "WebSocket connections are not made",
    ),
    refused(
        "eu.luminis.jmeter.wssampler.RequestResponseWebSocketSampler",
        Tier::G,
        "WebSocket connections are not made",
    ),
    refused(
        "eu.luminis.jmeter.wssampler.SingleReadWebSocketSampler",
        Tier::G,
        "WebSocket connections are not made",
    ),
    refused(
        "eu.luminis.jmeter.wssampler.SingleWriteWebSocketSampler",
        Tier::G,
        "WebSocket connections are not made",
    ),
];

static TOOL: &[Entry] = &[
    ignored("ProxyControl", Tier::A, "the recorder"),
    ignored("HttpMirrorControl", Tier::B, "the mirror server"),
    ignored(
        "org.jmeterplugins.protocol.http.control.HttpSimpleTableControl",
        Tier::C,
        "the table server",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_is_there_once() {
        let all: Vec<_> = ELEMENTS.iter().flat_map(|(_, entries)| *entries).collect();
        for entry in &all {
            let same = all.iter().filter(|other| other.name == entry.name);
            assert_eq!(same.count(), 1, "{}", entry.name);
            assert!(!entry.note.is_empty() && !entry.note.ends_with('.'));
        }
        let family = |class| element(class).map(|(family, _)| family);
        assert_eq!(family("HTTPSamplerProxy"), Some(Family::Sampler));
        let graph = "kg.apc.jmeter.vizualizers.SomethingOverTime";
        assert_eq!(family(graph), Some(Family::Listener));
        assert_eq!(family("org.example.Own"), None);
    }
}
