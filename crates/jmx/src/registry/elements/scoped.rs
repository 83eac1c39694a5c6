//! The elements that act on the samplers they stand beside or above.

use crate::registry::{Entry, Tier, ignored, refused, runs};

pub(super) static CONFIG: &[Entry] = &[
    runs(
        "ConfigTestElement",
        Tier::A,
        "HTTP Request Defaults; defaults of other protocols are merged in and read by nobody",
    ),
    runs("Arguments", Tier::A, "User Defined Variables"),
    runs(
        "HeaderManager",
        Tier::A,
        "headers, merged from the outside in",
    ),
    runs(
        "CookieManager",
        Tier::A,
        "cookies, by RFC 6265 whatever the policy",
    ),
    runs("CacheManager", Tier::B, "a browser's cache"),
    runs(
        "AuthManager",
        Tier::B,
        "basic and digest authorisation; Kerberos is refused",
    ),
    runs(
        "DNSCacheManager",
        Tier::B,
        "names looked up once, and names of the plan's own",
    ),
    runs("CSVDataSet", Tier::A, "rows of a file as variables"),
    runs("CounterConfig", Tier::B, "a number that counts up"),
    runs(
        "RandomVariableConfig",
        Tier::B,
        "a number by chance as a variable",
    ),
    runs(
        "com.blazemeter.jmeter.RandomCSVDataSetConfig",
        Tier::C,
        "rows of a file by chance as variables",
    ),
    refused("BoltConnectionElement", Tier::G, "no database is spoken to"),
    refused("JavaConfig", Tier::Never, "Java code of the plan's own"),
    refused("JDBCDataSource", Tier::G, "no database is spoken to"),
    refused(
        "KeystoreConfig",
        Tier::G,
        "certificates of clients are not presented",
    ),
    refused(
        "LoginConfig",
        Tier::G,
        "only protocols that are not spoken read it",
    ),
    refused("MongoSourceElement", Tier::G, "no database is spoken to"),
    refused(
        "com.blazemeter.jmeter.DirectoryListingConfig",
        Tier::C,
        "not supported yet; a CSV Data Set with the names of the files does the same",
    ),
    refused(
        "eu.luminis.jmeter.wssampler.BinaryFrameFilter",
        Tier::G,
        "WebSocket connections are not made",
    ),
    refused(
        "eu.luminis.jmeter.wssampler.PingFrameFilter",
        Tier::G,
        "WebSocket connections are not made",
    ),
    refused(
        "eu.luminis.jmeter.wssampler.TextFrameFilter",
        Tier::G,
        "WebSocket connections are not made",
    ),
    refused(
        "kg.apc.jmeter.config.LockFile",
        Tier::C,
        "not supported yet",
    ),
    refused(
        "kg.apc.jmeter.config.VariablesFromCSV",
        Tier::C,
        "not supported yet; User Defined Variables or `-J` do the same",
    ),
];

pub(super) static TIMER: &[Entry] = &[
    runs("ConstantTimer", Tier::A, "so long"),
    runs("UniformRandomTimer", Tier::B, "evenly within bounds"),
    runs("GaussianRandomTimer", Tier::B, "a normal distribution"),
    runs("PoissonRandomTimer", Tier::B, "a Poisson distribution"),
    runs(
        "ConstantThroughputTimer",
        Tier::B,
        "samples a minute, by user, group or plan",
    ),
    runs(
        "PreciseThroughputTimer",
        Tier::B,
        "a Poisson process with a given number of samples",
    ),
    runs("SyncTimer", Tier::B, "waits until so many users wait"),
    runs(
        "kg.apc.jmeter.timers.VariableThroughputTimer",
        Tier::C,
        "Throughput Shaping Timer: rows of rate, rate and duration",
    ),
    refused("BeanShellTimer", Tier::F, "BeanShell scripts come later"),
    refused(
        "BSFTimer",
        Tier::F,
        "BSF scripts come later; JMeter gave BSF up for JSR223",
    ),
    refused("JSR223Timer", Tier::E, "JSR223 scripts come later"),
];

pub(super) static PREPROCESSOR: &[Entry] = &[
    runs(
        "UserParameters",
        Tier::B,
        "variables by user, once an iteration or each time",
    ),
    runs(
        "RegExUserParameters",
        Tier::B,
        "parameters of a request out of an earlier answer",
    ),
    runs(
        "URLRewritingModifier",
        Tier::B,
        "the session's id out of an earlier answer into the address",
    ),
    runs(
        "AnchorModifier",
        Tier::B,
        "HTML Link Parser: follows a link or form of an earlier answer",
    ),
    runs(
        "SampleTimeout",
        Tier::B,
        "cuts a request or a pause that takes too long",
    ),
    runs(
        "kg.apc.jmeter.modifiers.FifoPopPreProcessor",
        Tier::C,
        "takes from a queue between users, waiting for it",
    ),
    refused(
        "BeanShellPreProcessor",
        Tier::F,
        "BeanShell scripts come later",
    ),
    refused(
        "BSFPreProcessor",
        Tier::F,
        "BSF scripts come later; JMeter gave BSF up for JSR223",
    ),
    refused("JDBCPreProcessor", Tier::G, "no database is spoken to"),
    refused("JSR223PreProcessor", Tier::E, "JSR223 scripts come later"),
    refused(
        "ParamModifier",
        Tier::Never,
        "JMeter itself gave this up and runs nothing in its place",
    ),
    refused(
        "UserParameterModifier",
        Tier::Never,
        "JMeter itself gave this up and runs nothing in its place; User Parameters do the same",
    ),
];

pub(super) static POSTPROCESSOR: &[Entry] = &[
    runs("RegexExtractor", Tier::A, "Perl 5 regular expressions"),
    runs("JSONPostProcessor", Tier::B, "JSONPath"),
    runs("JMESPathExtractor", Tier::B, "JMESPath"),
    runs(
        "BoundaryExtractor",
        Tier::B,
        "what stands between two texts",
    ),
    runs("HtmlExtractor", Tier::B, "CSS selectors, as jsoup has them"),
    runs("XPathExtractor", Tier::B, "XPath 1.0"),
    runs("XPath2Extractor", Tier::B, "XPath, as far as 1.0 goes"),
    runs("ResultAction", Tier::B, "what follows a sample that failed"),
    runs(
        "DebugPostProcessor",
        Tier::B,
        "variables and properties as a sub-result",
    ),
    runs(
        "com.atlantbh.jmeter.plugins.jsonutils.jsonpathextractor.JSONPathExtractor",
        Tier::C,
        "JSONPath",
    ),
    runs(
        "kg.apc.jmeter.modifiers.FifoPutPostProcessor",
        Tier::C,
        "puts into a queue between users",
    ),
    refused(
        "BeanShellPostProcessor",
        Tier::F,
        "BeanShell scripts come later",
    ),
    refused(
        "BSFPostProcessor",
        Tier::F,
        "BSF scripts come later; JMeter gave BSF up for JSR223",
    ),
    refused("JDBCPostProcessor", Tier::G, "no database is spoken to"),
    refused("JSR223PostProcessor", Tier::E, "JSR223 scripts come later"),
    refused(
        "com.acmeair.jmeter.functions.FlightsPostProcessor",
        Tier::Never,
        "Java code of the plan's own",
    ),
];

pub(super) static ASSERTION: &[Entry] = &[
    runs(
        "ResponseAssertion",
        Tier::A,
        "texts and regular expressions in an answer, its code, headers or the request",
    ),
    runs("DurationAssertion", Tier::B, "at most so long"),
    runs("SizeAssertion", Tier::B, "so many bytes"),
    runs("JSONPathAssertion", Tier::B, "a value at a JSONPath"),
    runs("JMESPathAssertion", Tier::B, "a value at a JMESPath"),
    runs("XPathAssertion", Tier::B, "whether an XPath matches"),
    runs(
        "XPath2Assertion",
        Tier::B,
        "whether an XPath matches, as far as 1.0 goes",
    ),
    runs("XMLAssertion", Tier::B, "well-formed XML"),
    runs("MD5HexAssertion", Tier::B, "the MD5 sum of the body"),
    runs(
        "com.atlantbh.jmeter.plugins.jsonutils.jsonpathassertion.JSONPathAssertion",
        Tier::C,
        "a value at a JSONPath",
    ),
    refused(
        "BeanShellAssertion",
        Tier::F,
        "BeanShell scripts come later",
    ),
    refused(
        "BSFAssertion",
        Tier::F,
        "BSF scripts come later; JMeter gave BSF up for JSR223",
    ),
    refused(
        "CompareAssertion",
        Tier::B,
        "answers are not compared with each other; JMeter does so in its window only",
    ),
    refused(
        "HTMLAssertion",
        Tier::B,
        "JTidy's list of faults cannot be had without it",
    ),
    refused("JSR223Assertion", Tier::E, "JSR223 scripts come later"),
    refused(
        "SMIMEAssertion",
        Tier::Never,
        "mail is neither sent nor read",
    ),
    refused("XMLSchemaAssertion", Tier::B, "XML Schema is not checked"),
];

pub(super) static LISTENER: &[Entry] = &[
    runs(
        "ResultCollector",
        Tier::A,
        "writes its file, if it names one; every table and graph of JMeter is one of these",
    ),
    runs("Summariser", Tier::A, "lines of sums on the console"),
    runs("ResultSaver", Tier::B, "answers into files"),
    runs(
        "kg.apc.jmeter.vizualizers.CorrectedResultCollector",
        Tier::C,
        "writes its file, if it names one; the graphs of the plugins are of these",
    ),
    ignored("AssertionVisualizer", Tier::A, "a window"),
    ignored(
        "BackendListener",
        Tier::B,
        "sends sums elsewhere; our monitoring does so for every run",
    ),
    ignored("MailerResultCollector", Tier::B, "no mail is sent"),
    ignored(
        "com.blazemeter.jmeter.reporters.FlushingResultCollector",
        Tier::C,
        "write the file with `-l`",
    ),
    ignored(
        "com.github.johrstrom.listener.PrometheusListener",
        Tier::C,
        "our monitoring shows the same of every run",
    ),
    ignored(
        "com.github.johrstrom.config.PrometheusMetricsConfig",
        Tier::C,
        "our monitoring shows the same of every run",
    ),
    ignored(
        "kg.apc.jmeter.dbmon.DbMonCollector",
        Tier::C,
        "watches a database; samples are the same without",
    ),
    ignored(
        "kg.apc.jmeter.jmxmon.JMXMonCollector",
        Tier::C,
        "watches a JVM; samples are the same without",
    ),
    ignored(
        "kg.apc.jmeter.listener.GraphsGeneratorListener",
        Tier::C,
        "draws pictures after the run",
    ),
    ignored(
        "kg.apc.jmeter.perfmon.PerfMonCollector",
        Tier::C,
        "watches servers; samples are the same without",
    ),
    ignored(
        "kg.apc.jmeter.reporters.ConsoleStatusLogger",
        Tier::C,
        "the summariser's lines do the same",
    ),
    ignored(
        "kg.apc.jmeter.reporters.FlexibleFileWriter",
        Tier::C,
        "write the file with `-l`",
    ),
    ignored(
        "kg.apc.jmeter.reporters.LoadosophiaUploader",
        Tier::C,
        "sends the file elsewhere after the run",
    ),
    ignored(
        "kg.apc.jmeter.vizualizers.CompositeResultCollector",
        Tier::C,
        "a graph",
    ),
    refused(
        "kg.apc.jmeter.reporters.AutoStop",
        Tier::C,
        "stops the plan by its own limits, which would change the load; use the gates `--fail-if`",
    ),
    refused("BeanShellListener", Tier::F, "BeanShell scripts come later"),
    refused(
        "BSFListener",
        Tier::F,
        "BSF scripts come later; JMeter gave BSF up for JSR223",
    ),
    refused("JSR223Listener", Tier::E, "JSR223 scripts come later"),
];
