//! Functions with their results, by JMeter's own source; those of expressions are what its engines gave.

use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use double11_jmx::template::{Sites, Template};

use super::{FUNCTIONS, lookup, problems};
use crate::run::Run;
use crate::sample::SampleResult;
use crate::user::{Trouble, User};

fn user() -> User {
    let properties = HashMap::from([("host".to_owned(), " shop ".to_owned())]);
    let mut run = Run::new(Path::new("."), properties, 1);
    run.plan_name = "plan.jmx".to_owned();
    run.environment
        .insert("HOME".to_owned(), "/root".to_owned());
    let mut user = User::new(&Arc::new(run), "Group", 1, 3);
    user.variables.set("a", "5");
    user.variables.set("n", "a");
    user.variables.set("text", "${a}-${__intSum(1,${a})}");
    user
}

fn render(text: &str, user: &mut User) -> String {
    let template = Template::parse(text, &mut Sites::default());
    user.render(&template).into_owned()
}

/// Texts and what they are filled in to.
const RESULTS: &[(&str, &str)] = &[
    ("${__P(host)}", "shop"),
    ("${__P(none)}", "1"),
    ("${__P(none,)}", ""),
    ("${__P(none,d)}", "d"),
    ("${__property(none)}", "none"),
    ("${__property(none,v,d)} ${v}", "d d"),
    (
        "${__setProperty(x,1,true)} ${__setProperty(x,2,true)} ${__P(x)}",
        "null 1 2",
    ),
    (
        "${__isPropDefined(host)} ${__isVarDefined(none)}",
        "true false",
    ),
    ("${__V(${n})} ${__V(b${a})} ${__V(none,d)}", "5 b5 d"),
    ("${__eval(${text})}", "5-6"),
    ("${__evalVar(text)} ${__evalVar(none)}", "5-6 "),
    (
        "${__split(x||y|,s,|)} ${s_n} ${s_1} ${s_2} ${s_3} ${s_4}",
        "x||y| 4 x ? y ?",
    ),
    (
        "${__intSum(1,2,3)} ${__intSum(1,2,s)} ${s} ${__longSum(5000000000,1)}",
        "6 3 3 5000000001",
    ),
    (
        "${__doubleSum(1.5,2)} ${__doubleSum(100000000,1,d)}",
        "3.5 1.00000001E8",
    ),
    ("${__counter(TRUE)}${__counter(FALSE,c)}${c}", "111"),
    (
        "${__threadNum} ${__threadGroupName} ${__TestPlanName}",
        "3 Group plan.jmx",
    ),
    ("${__char(65,0x42,#43,0104)}", "ABCD"),
    ("${__unescape(a\\\\tb\\\\u0041)}", "a\tbA"),
    ("${__unescapeHtml(&lt;&eacute;&#65;&nope;)}", "<éA&nope;"),
    ("${__escapeHtml(<é'\">)}", "&lt;&eacute;'&quot;&gt;"),
    ("${__escapeXml(<'>)}", "&lt;&apos;&gt;"),
    ("${__escapeOroRegexpChars([a.b]_)}", "\\[a\\.b\\]_"),
    (
        "${__urlencode(a b/é*)} ${__urldecode(a+b%2F)}",
        "a+b%2F%C3%A9* a b/",
    ),
    (
        "${__changeCase(aB)} ${__changeCase(aB,lower)} ${__changeCase(aB,CAPITALIZE)}",
        "AB ab AB",
    ),
    ("${__digest(MD5,abc)}", "900150983cd24fb0d6963f7d28e17f72"),
    (
        "${__digest(SHA-256,a,bc,true)}",
        "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD",
    ),
    ("${__digest(none,abc)}", "null"),
    ("${__MD5(abc)}", "900150983cd24fb0d6963f7d28e17f72"),
    (
        "${__base64Encode(abcd)} ${__base64Decode(YWJjZA==)}",
        "YWJjZA== abcd",
    ),
    (
        "${__strLen(aé)} ${__substring(abcd,1,3)} ${__strReplace(aba,a,x)}",
        "2 bc xbx",
    ),
    (
        "${__if(1,1,y,n)} ${__if(1,2,y,n)} ${__uppercase(a)} ${__lowercase(A)}",
        "y n A a",
    ),
    (
        "${__caseFormat(my kebab-case,UPPER_CAMEL_CASE)}",
        "MyKebabCase",
    ),
    ("${__caseFormat(my kebab-case,SNAKE_CASE)}", "my_kebab_case"),
    (
        "${__env(HOME)} ${__env(NONE,v,d)} ${v} ${__isDefined(a)}",
        "/root d d 1",
    ),
    ("${__logn(x)}${__log(y,INFO)}", "y"),
    ("${__Random(5,5)} ${__Random( 7 ,7,r)} ${r}", "5 7 7"),
    ("${__RandomString(4,aa,r)} ${r}", "aaaa aaaa"),
    ("${__chooseRandom(x,x,v)} ${v}", "x x"),
    ("${__RandomFromMultipleVars(none|a)}", "5"),
    (
        "${__javaScript(1+1)} ${__jexl3(7/2)} ${__groovy(7/2)}",
        "2 3 3.5",
    ),
    ("${__jexl3(\"${a}\" == \"5\",v)} ${v}", "true true"),
    (
        "${__timeShift(yyyy-MM-dd HH:mm,2020-02-28 23:30,P1DT1H,)}",
        "2020-03-01 00:30",
    ),
    (
        "${__timeShift(dd/MM/yyyy,21/01/2018,P2D,v)} ${v}",
        "23/01/2018 23/01/2018",
    ),
    ("${__timeShift(,1000,PT-0.5S,)}", "500"),
    (
        "${__RandomDate(,2020-01-01,2020-01-02,,d)} ${d}",
        "2020-01-01 2020-01-01",
    ),
    (
        "${__dateTimeConvert(01212018,MMddyyyy,dd/MM/yyyy,v)}",
        "21/01/2018",
    ),
];

#[test]
fn functions_yield_what_jmeter_yields() {
    for (text, expected) in RESULTS {
        let mut user = user();
        assert_eq!(render(text, &mut user), *expected, "{text}");
        assert_eq!(user.trouble, None, "{text}");
    }
}

#[test]
fn random_values_have_their_form() {
    let mut user = user();
    for _ in 0..200 {
        let drawn: i64 = render("${__Random(-3,4)}", &mut user).parse().unwrap();
        assert!((-3..=4).contains(&drawn));
    }
    let uuid = render("${__UUID}", &mut user);
    assert_eq!(uuid.len(), 36);
    assert_eq!(uuid.as_bytes()[14], b'4');
    assert_eq!(render("${__time}", &mut user).len(), 13);
    assert_eq!(render("${__time(/1000)}", &mut user).len(), 10);
    assert_eq!(render("${__time(YMDHMS)}", &mut user).len(), 15);
    assert_eq!(render("${__RandomString(9)}", &mut user).chars().count(), 9);
}

#[test]
fn what_throws_in_jmeter_leaves_its_trouble() {
    let cases = [
        "${__Random(5,4)}",
        "${__Random(a,4)}",
        "${__RandomString(x,a)}",
        "${__time(HH:mm:sss)}",
        "${__urldecode(%zz)}",
        "${__substring(abc,2,9)}",
    ];
    for text in cases {
        let mut user = user();
        assert_eq!(render(text, &mut user), "", "{text}");
        assert!(matches!(user.trouble, Some(Trouble::Failed(_))), "{text}");
    }
}

#[test]
fn calls_that_jmeter_refuses_are_problems() {
    let cases = [
        (
            "${__Random(1)}",
            Some("`__Random` is called with 1 arguments and takes 2 to 3"),
        ),
        (
            "${__UUID(x)}",
            Some("`__UUID` is called with 1 arguments and takes 0"),
        ),
        (
            "${__char}",
            Some("`__char` is called with 0 arguments and takes at least 1"),
        ),
        (
            "${__eval(${__P()})}",
            Some("`__P` is called with 0 arguments and takes 1 to 2"),
        ),
        ("${__jm__Loop__idx} ${__Random(1,2)}", None),
    ];
    for (text, expected) in cases {
        let template = Template::parse(text, &mut Sites::default());
        assert_eq!(
            problems(&template).first().map(String::as_str),
            expected,
            "{text}"
        );
    }
}

#[test]
fn texts_that_hold_themselves_end() {
    let mut user = user();
    user.variables.set("self", "x${__evalVar(self)}");
    let text = render("${__evalVar(self)}", &mut user);
    assert!(text.len() <= 40);
    assert!(user.trouble.is_some());
}

#[test]
fn names_are_in_order_and_known_to_the_registry() {
    assert!(FUNCTIONS.is_sorted_by(|one, next| one.name < next.name));
    for function in FUNCTIONS {
        assert_eq!(
            lookup(function.name).map(|found| found.name),
            Some(function.name)
        );
    }
}

#[test]
fn parts_of_the_last_answer_are_found() {
    let cases = [
        (
            "${__regexFunction(id=(\\d+),$1$,1,,none,v)} ${v} ${v_g1} ${v_matchNr}",
            "7 7 7 3",
        ),
        ("${__regexFunction(id=(\\d+),<$1$>,ALL,;)}", "<7>;<8>;<9>"),
        ("${__regexFunction(id=(\\d+),$1$,3)}", "9"),
        ("${__regexFunction(id=(\\d+),$1$,4,,none)}", "none"),
        ("${__regexFunction(x=(\\d+),$1$,,,none)}", "none"),
        ("${__regexFunction((\\d),$1$,1,,,v,a)}", "5"),
        ("${__strReplaceRegex(a1b22,[0-9]+,<$0>)}", "a<1>b<22>"),
    ];
    for (text, expected) in cases {
        let mut user = user();
        user.previous = Some(Rc::new(SampleResult {
            body: b"id=7 id=8 id=9".to_vec(),
            ..SampleResult::default()
        }));
        assert_eq!(render(text, &mut user), expected, "{text}");
    }
}

#[test]
fn files_are_read_and_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("rows.csv"), "a,1\nb,2\n\nc,3\n").unwrap();
    std::fs::write(path("lines1.txt"), "x\r\ny\n").unwrap();
    std::fs::write(path("lines2.txt"), "z").unwrap();
    let mut user = user();
    let rows = path("rows.csv");
    let row =
        format!("${{__CSVRead({rows},0)}}${{__CSVRead({rows},1)}}${{__CSVRead({rows},next)}}");
    let read: Vec<String> = (0..3).map(|_| render(&row, &mut user)).collect();
    assert_eq!(read, ["a1", "b2", "a1"]);

    let lines = format!("${{__StringFromFile({})}}", path("lines1.txt"));
    let lines = Template::parse(&lines, &mut Sites::default());
    let read: Vec<String> = (0..3).map(|_| user.render(&lines).into_owned()).collect();
    assert_eq!(read, ["x", "y", "x"]);

    let mut user = self::user();
    // The name is a pattern for the number in it: what of it is no pattern stands between quotes, the
    // folder too, in whose name a `0` or an `E` may occur.
    let sequence = format!("${{__StringFromFile('{}'#'.txt',v,1,2)}}", path("lines"));
    let sequence = Template::parse(&sequence, &mut Sites::default());
    let read: Vec<String> = (0..4)
        .map(|_| user.render(&sequence).into_owned())
        .collect();
    assert_eq!(read, ["x", "y", "z", ""]);
    assert!(matches!(user.trouble, Some(Trouble::StopThread(_))));

    let out = path("out.txt");
    let write = format!("${{__StringToFile({out},a\\n)}}${{__StringToFile({out},b,true)}}");
    assert_eq!(render(&write, &mut user), "truetrue");
    assert_eq!(
        render(&format!("${{__FileToString({out})}}"), &mut user),
        "a\nb"
    );
    assert_eq!(
        render("${__FileToString(/none/at/all)}", &mut user),
        "**ERR**"
    );
    assert_eq!(
        render("${__StringToFile(/none/at/all,x)}", &mut user),
        "false"
    );
}

#[test]
fn nodes_of_a_file_come_in_turn() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.xml").display().to_string();
    std::fs::write(&file, "<a><b>1</b><b>2</b><c/></a>").unwrap();
    let mut user = user();
    let text = format!("${{__XPath({file},//b)}}");
    let read: Vec<String> = (0..3).map(|_| render(&text, &mut user)).collect();
    assert_eq!(read, ["1", "2", "1"]);
    assert_eq!(
        render(&format!("${{__XPath({file},//c)}}"), &mut user),
        "null"
    );
    assert_eq!(user.trouble, None);
    assert_eq!(render(&format!("${{__XPath({file},//d)}}"), &mut user), "");
    assert_eq!(user.trouble, None);
}

#[test]
fn what_the_registry_promises_is_there() {
    use double11_jmx::registry::{self, Support};
    // Queues between users are refused, as their elements are.
    let refused = ["__fifoGet", "__fifoPop", "__fifoPut", "__fifoSize"];
    for known in registry::FUNCTIONS {
        let promised = matches!(known.support, Support::Supported | Support::Expression);
        let there = lookup(known.name).is_some() || refused.contains(&known.name);
        assert!(there || !promised, "{}", known.name);
    }
    for function in FUNCTIONS {
        assert!(
            registry::function(function.name).is_some(),
            "{}",
            function.name
        );
    }
}
