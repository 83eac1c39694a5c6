//! Methods and functions that expressions may call, by language.

use super::Language;
use super::parser::Node;
use super::value::Value;
use super::{Unsupported, unsupported};

/// Methods of texts that Java, and so all languages but JavaScript's own texts, has.
const JAVA: &[&str] = &[
    "charAt",
    "compareTo",
    "compareToIgnoreCase",
    "concat",
    "contains",
    "endsWith",
    "equals",
    "equalsIgnoreCase",
    "hashCode",
    "indexOf",
    "isBlank",
    "isEmpty",
    "lastIndexOf",
    "length",
    "matches",
    "repeat",
    "replace",
    "replaceAll",
    "replaceFirst",
    "split",
    "startsWith",
    "strip",
    "substring",
    "toLowerCase",
    "toString",
    "toUpperCase",
    "trim",
];
/// Methods that Groovy adds to texts, lists and numbers.
const GROOVY: &[&str] = &[
    "capitalize",
    "get",
    "isDouble",
    "isInteger",
    "isLong",
    "isNumber",
    "padLeft",
    "padRight",
    "reverse",
    "size",
    "toBigDecimal",
    "toBoolean",
    "toDouble",
    "toInteger",
    "toLong",
    "tokenize",
];
/// Methods of texts and numbers that JavaScript has.
const SCRIPT: &[&str] = &[
    "charAt",
    "charCodeAt",
    "concat",
    "endsWith",
    "equals",
    "equalsIgnoreCase",
    "includes",
    "indexOf",
    "lastIndexOf",
    "repeat",
    "replace",
    "slice",
    "split",
    "startsWith",
    "substr",
    "substring",
    "toFixed",
    "toLowerCase",
    "toString",
    "toUpperCase",
    "trim",
];
/// Methods of what the runner offers, of numbers and of Java's classes.
const OBJECTS: &[&str] = &[
    "abs",
    "ceil",
    "containsKey",
    "current",
    "currentTimeMillis",
    "debug",
    "doubleValue",
    "error",
    "exp",
    "floor",
    "get",
    "getDate",
    "getDay",
    "getFullYear",
    "getHours",
    "getMilliseconds",
    "getMinutes",
    "getMonth",
    "getName",
    "getNumberOfThreads",
    "getProperty",
    "getResponseCode",
    "getResponseMessage",
    "getSampleLabel",
    "getSeconds",
    "getThreadNum",
    "getTime",
    "info",
    "intValue",
    "isSuccessful",
    "log",
    "longValue",
    "max",
    "min",
    "nanoTime",
    "nextBoolean",
    "nextDouble",
    "nextInt",
    "nextLong",
    "now",
    "parseBoolean",
    "parseDouble",
    "parseInt",
    "parseLong",
    "pow",
    "put",
    "random",
    "randomAlphabetic",
    "randomAlphanumeric",
    "randomNumeric",
    "randomUUID",
    "remove",
    "round",
    "setProperty",
    "size",
    "sqrt",
    "toString",
    "valueOf",
    "warn",
];
/// JavaScript's own functions.
const SCRIPT_FUNCTIONS: &[&str] = &[
    "Boolean",
    "Number",
    "String",
    "decodeURIComponent",
    "encodeURIComponent",
    "isNaN",
    "parseFloat",
    "parseInt",
];
/// What JavaScript has and this subset has not.
const SCRIPT_RESERVED: &[&str] = &[
    "Array",
    "JSON",
    "JavaAdapter",
    "JavaImporter",
    "Object",
    "Packages",
    "RegExp",
    "Symbol",
    "break",
    "case",
    "catch",
    "class",
    "com",
    "const",
    "continue",
    "delete",
    "do",
    "else",
    "eval",
    "finally",
    "for",
    "function",
    "globalThis",
    "if",
    "importClass",
    "importPackage",
    "in",
    "instanceof",
    "java",
    "javax",
    "let",
    "load",
    "net",
    "org",
    "print",
    "return",
    "switch",
    "this",
    "throw",
    "try",
    "var",
    "void",
    "while",
    "with",
];
const GROOVY_RESERVED: &[&str] = &[
    "OUT",
    "as",
    "assert",
    "break",
    "case",
    "catch",
    "class",
    "com",
    "continue",
    "def",
    "do",
    "else",
    "evaluate",
    "finally",
    "for",
    "groovy",
    "if",
    "import",
    "in",
    "instanceof",
    "java",
    "javax",
    "net",
    "org",
    "print",
    "printf",
    "println",
    "return",
    "switch",
    "this",
    "throw",
    "try",
    "void",
    "while",
];
const JEXL_RESERVED: &[&str] = &[
    "OUT", "break", "continue", "do", "else", "for", "foreach", "function", "if", "return", "var",
    "while",
];

/// Refuses a method that is not in the subset.
pub(super) fn check(
    of: &Node,
    name: &str,
    language: Language,
    at: usize,
) -> Result<(), Unsupported> {
    let own: &[&[&str]] = match language {
        Language::JavaScript if is_text(of) => &[SCRIPT],
        Language::JavaScript => &[SCRIPT, JAVA, OBJECTS],
        Language::Groovy => &[JAVA, GROOVY, OBJECTS],
        Language::Jexl2 | Language::Jexl3 => &[JAVA, OBJECTS],
    };
    let literal = matches!(of, Node::Literal(value) if value.as_number().is_some());
    if literal && language.is_jexl() {
        return Err(unsupported(&format!("`{name}` of a number"), at));
    }
    if own.iter().any(|names| names.contains(&name)) {
        return Ok(());
    }
    Err(unsupported(&format!("the method `{name}`"), at))
}

fn is_text(node: &Node) -> bool {
    matches!(node, Node::Literal(Value::Text(_)))
}

/// Refuses a property that is not in the subset.
pub(super) fn check_member(
    of: &Node,
    name: &str,
    language: Language,
    at: usize,
) -> Result<(), Unsupported> {
    let known = match of {
        Node::Name(own) if matches!(own.as_str(), "vars" | "props") => {
            language != Language::JavaScript
        }
        Node::Class(_) => matches!(name, "PI" | "E" | "MAX_VALUE" | "MIN_VALUE"),
        _ => name == "length" && language == Language::JavaScript,
    };
    if known {
        return Ok(());
    }
    Err(unsupported(&format!("the property `{name}`"), at))
}

/// Refuses a function that is not in the subset.
pub(super) fn check_function(name: &str, language: Language, at: usize) -> Result<(), Unsupported> {
    let known = match language {
        Language::JavaScript => SCRIPT_FUNCTIONS.contains(&name),
        Language::Groovy => false,
        Language::Jexl2 | Language::Jexl3 => matches!(name, "size" | "empty"),
    };
    if known {
        return Ok(());
    }
    Err(unsupported(&format!("the function `{name}`"), at))
}

/// Whether a name means something in the language that is not in the subset.
pub(super) fn is_reserved(name: &str, language: Language) -> bool {
    match language {
        Language::JavaScript => SCRIPT_RESERVED.contains(&name),
        Language::Groovy => {
            GROOVY_RESERVED.contains(&name) || name.starts_with(|c: char| c.is_ascii_uppercase())
        }
        Language::Jexl2 | Language::Jexl3 => JEXL_RESERVED.contains(&name),
    }
}
