//! The functions of `JMeter` 5.6 and of the plugins in common use.

use super::{Entry, Tier, evaluates, refused, runs};

/// The function of this name.
pub fn function(name: &str) -> Option<&'static Entry> {
    let found = FUNCTIONS.binary_search_by(|known| known.name.cmp(name));
    found.ok().and_then(|index| FUNCTIONS.get(index))
}

const PLUGIN_JAVA: &str = "Java code of the plan's own, which only its JVM can run";

/// All of them, in the order of their names as bytes.
pub static FUNCTIONS: &[Entry] = &[
    refused("__BeanShell", Tier::F, "BeanShell scripts come later"),
    runs("__CSVRead", Tier::B, "columns of a file, row by row"),
    runs("__FileToString", Tier::B, "a whole file"),
    refused(
        "__GetSecret",
        Tier::Never,
        "a secret of Azure Load Testing; pass it with `-J` and read it with `__P`",
    ),
    runs("__MD5", Tier::C, "MD5 in hexadecimal digits"),
    runs("__P", Tier::A, "a property, with a default"),
    runs("__Random", Tier::A, "a whole number within bounds"),
    runs("__RandomDate", Tier::B, "a date within bounds"),
    runs(
        "__RandomFromMultipleVars",
        Tier::B,
        "a value of one of several variables",
    ),
    runs("__RandomString", Tier::A, "characters of a given set"),
    runs("__StringFromFile", Tier::B, "a file, line by line"),
    runs("__StringToFile", Tier::B, "writes to a file"),
    runs("__TestPlanName", Tier::B, "the file of the plan"),
    runs("__UUID", Tier::A, "a random UUID"),
    runs("__V", Tier::B, "a variable whose name is put together"),
    runs("__XPath", Tier::B, "nodes of an XML file, one by one"),
    runs("__base64Decode", Tier::C, "text from Base64"),
    runs("__base64Encode", Tier::C, "text to Base64"),
    runs(
        "__caseFormat",
        Tier::C,
        "camel case, snake case and their like",
    ),
    runs(
        "__changeCase",
        Tier::B,
        "upper case, lower case, capitalised",
    ),
    runs("__char", Tier::B, "characters by number"),
    runs("__chooseRandom", Tier::C, "one of its arguments"),
    runs("__counter", Tier::A, "counts its calls, by user or for all"),
    runs("__dateTimeConvert", Tier::B, "a date in another form"),
    runs(
        "__digest",
        Tier::B,
        "a message digest in hexadecimal digits",
    ),
    runs("__doubleSum", Tier::C, "the sum of numbers"),
    runs("__env", Tier::C, "a variable of the environment"),
    runs("__escapeHtml", Tier::B, "characters to HTML entities"),
    runs(
        "__escapeOroRegexpChars",
        Tier::B,
        "text for use in a regular expression",
    ),
    runs("__escapeXml", Tier::B, "characters to XML entities"),
    runs("__eval", Tier::B, "fills in a text"),
    runs("__evalVar", Tier::B, "fills in the text of a variable"),
    refused("__extractBookingInfo", Tier::Never, PLUGIN_JAVA),
    refused("__extrainfo", Tier::Never, PLUGIN_JAVA),
    runs("__fifoGet", Tier::C, "the head of a queue between users"),
    refused(
        "__fifoPop",
        Tier::C,
        "a text cannot wait; the Inter-Thread Communication PreProcessor takes from the same queues",
    ),
    runs("__fifoPut", Tier::C, "adds to a queue between users"),
    runs("__fifoSize", Tier::C, "the length of a queue between users"),
    refused("__generateDate", Tier::Never, PLUGIN_JAVA),
    evaluates("__groovy", Tier::D, "an expression in Groovy"),
    runs(
        "__if",
        Tier::C,
        "one of two values, by whether two texts are equal",
    ),
    runs("__intSum", Tier::B, "the sum of whole numbers of 32 bits"),
    runs("__isDefined", Tier::C, "whether a variable has a value"),
    runs("__isPropDefined", Tier::B, "whether a property has a value"),
    runs("__isVarDefined", Tier::B, "whether a variable has a value"),
    runs("__iterationNum", Tier::C, "the number of the iteration"),
    evaluates("__javaScript", Tier::D, "an expression in JavaScript"),
    evaluates(
        "__jexl",
        Tier::D,
        "an expression in JEXL; `JMeter` itself has only `__jexl2` and `__jexl3` now",
    ),
    evaluates("__jexl2", Tier::D, "an expression in JEXL"),
    evaluates("__jexl3", Tier::D, "an expression in JEXL"),
    runs(
        "__log",
        Tier::B,
        "writes a line to the log and gives it back",
    ),
    runs("__logn", Tier::B, "writes a line to the log"),
    runs("__longSum", Tier::B, "the sum of whole numbers"),
    runs("__lowercase", Tier::C, "lower case"),
    runs("__machineIP", Tier::B, "the address of this machine"),
    runs("__machineName", Tier::B, "the name of this machine"),
    runs("__property", Tier::A, "a property, with a default"),
    runs("__regexFunction", Tier::B, "parts of the last answer"),
    runs("__samplerName", Tier::B, "the name of the sampler"),
    runs("__setProperty", Tier::B, "sets a property"),
    runs("__split", Tier::B, "a text into variables"),
    runs("__strLen", Tier::C, "the length of a text"),
    runs("__strReplace", Tier::C, "replaces a text in a text"),
    runs("__strReplaceRegex", Tier::C, "replaces what matches"),
    runs("__substring", Tier::C, "a part of a text"),
    runs("__threadGroupName", Tier::B, "the name of the thread group"),
    runs(
        "__threadNum",
        Tier::A,
        "the number of the user in its thread group",
    ),
    runs(
        "__time",
        Tier::A,
        "the time, in milliseconds or in a pattern",
    ),
    runs("__timeShift", Tier::B, "a date, moved"),
    refused(
        "__tstFeedback",
        Tier::C,
        "lets a Throughput Shaping Timer steer the size of a thread group; give the group a number",
    ),
    runs("__unescape", Tier::B, "Java escapes to characters"),
    runs("__unescapeHtml", Tier::B, "HTML entities to characters"),
    refused("__updateCustomer", Tier::Never, PLUGIN_JAVA),
    runs("__uppercase", Tier::C, "upper case"),
    runs("__urldecode", Tier::B, "text from the form of URLs"),
    runs("__urlencode", Tier::B, "text to the form of URLs"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_order_so_that_they_are_found() {
        assert!(FUNCTIONS.is_sorted_by(|one, next| one.name < next.name));
        for known in FUNCTIONS {
            assert_eq!(function(known.name), Some(known));
            assert!(known.name.starts_with("__") && !known.note.is_empty());
        }
        assert_eq!(function("__other"), None);
    }
}
