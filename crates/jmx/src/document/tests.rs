use proptest::prelude::*;

use super::*;

/// A plan with this in its tree, below the `TestPlan`.
fn plan(below: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <jmeterTestPlan version=\"1.2\" properties=\"5.0\" jmeter=\"5.5\"><hashTree>\n\
         <TestPlan guiclass=\"TestPlanGui\" testclass=\"TestPlan\" testname=\"P\"/>\n\
         <hashTree>\n{below}\n</hashTree></hashTree></jmeterTestPlan>\n"
    )
}

#[track_caller]
fn read_below(below: &str) -> Vec<Element> {
    let document = read(plan(below).as_bytes(), Limits::STANDARD).unwrap();
    assert_eq!(document.oddities, []);
    document.root.children
}

#[track_caller]
fn refused(text: &[u8]) -> (u32, String) {
    let error = read(text, Limits::STANDARD).unwrap_err();
    (error.line(), error.to_string())
}

#[test]
fn elements_properties_and_lines() {
    let elements = read_below(
        r#"<ThreadGroup guiclass="ThreadGroupGui" testclass="ThreadGroup" testname="A &amp; &#x1;B">
  <intProp name="ThreadGroup.num_threads">12</intProp>
  <stringProp name="ThreadGroup.ramp_time"> ${r}
 </stringProp>
  <elementProp name="ThreadGroup.main_controller" elementType="LoopController" guiclass="LoopControlPanel" testname="Loop" enabled="true">
    <boolProp name="LoopController.continue_forever">false</boolProp>
  </elementProp>
</ThreadGroup>
<hashTree>
  <org.apache.jmeter.protocol.http.sampler.HTTPSampler enabled="false" testname="x"/>
  <hashTree/>
  <kg.apc.jmeter.samplers.Dummy__One testname="y"/>
</hashTree>"#,
    );
    let [group] = elements.as_slice() else {
        panic!("{elements:?}");
    };
    assert_eq!((group.class.as_str(), group.line), ("ThreadGroup", 5));
    assert_eq!(group.gui_class, "ThreadGroupGui");
    assert_eq!(group.name, "A & \u{1}B");
    assert!(group.enabled);
    assert_eq!(group.text("ThreadGroup.num_threads"), "12");
    assert_eq!(group.text("ThreadGroup.ramp_time"), " ${r}\n ");
    let controller = group.element("ThreadGroup.main_controller").unwrap();
    assert_eq!(
        (controller.class.as_str(), controller.line),
        ("LoopController", 9)
    );
    assert_eq!(controller.name, "Loop");
    assert!(!controller.is("LoopController.continue_forever", true));
    let below: Vec<_> = group
        .children
        .iter()
        .map(|child| (child.class.as_str(), child.enabled, child.line))
        .collect();
    let expected = [
        ("HTTPSamplerProxy", false, 14),
        ("kg.apc.jmeter.samplers.Dummy_One", true, 16),
    ];
    assert_eq!(below, expected);
}

#[test]
fn lists_and_objects() {
    let elements = read_below(
        r#"<HTTPSamplerProxy testname="s">
  <collectionProp name="Asserion.test_strings"><stringProp name="49586">200</stringProp></collectionProp>
  <elementProp name="HTTPsampler.Arguments" elementType="Arguments">
    <collectionProp name="Arguments.arguments">
      <elementProp name="q" elementType="HTTPArgument">
        <stringProp name="Argument.value"><![CDATA[<1>&]]> &lt;2></stringProp>
      </elementProp>
    </collectionProp>
  </elementProp>
  <objProp><name>saveConfig</name>
    <value class="SampleSaveConfiguration"><time>true</time><xml>false</xml></value></objProp>
  <doubleProp><name>rate</name><value>1.5</value><savedValue>0.0</savedValue></doubleProp>
  <FloatProperty><name>share</name><value>50.0</value></FloatProperty>
</HTTPSamplerProxy>"#,
    );
    let sampler = elements.first().unwrap();
    assert_eq!(
        sampler.texts("Asserion.test_strings").collect::<Vec<_>>(),
        ["200"]
    );
    let arguments = sampler.element("HTTPsampler.Arguments").unwrap();
    let argument = arguments.elements("Arguments.arguments").next().unwrap();
    assert_eq!(argument.class, "HTTPArgument");
    assert_eq!(argument.text("Argument.value"), "<1>& <2>");
    let save = sampler.element("saveConfig").unwrap();
    assert_eq!(save.class, "SampleSaveConfiguration");
    assert!(save.is("time", false) && !save.is("xml", true));
    assert_eq!(
        (sampler.text("rate"), sampler.text("share")),
        ("1.5", "50.0")
    );
}

#[test]
fn old_names_and_texts_of_windows() {
    let elements = read_below(
        r#"<CSVDataSet><stringProp name="shareMode">Todos los hilos</stringProp></CSVDataSet>
<ConstantThroughputTimer><stringProp name="calcMode">Nur dieser Thread</stringProp>
  <stringProp name="ConstantThroughputTimer.throughput">60</stringProp></ConstantThroughputTimer>
<ConstantThroughputTimer><intProp name="calcMode">2</intProp></ConstantThroughputTimer>
<CSVDataSet><stringProp name="shareMode">my readers</stringProp></CSVDataSet>
<LoopController><boolProp name="TestElement.enabled">false</boolProp>
  <stringProp name="TestElement.name">old</stringProp></LoopController>"#,
    );
    let text = |index: usize, property| elements[index].text(property);
    assert_eq!(text(0, "shareMode"), "shareMode.all");
    assert_eq!((text(1, "calcMode"), text(1, "throughput")), ("0", "60"));
    assert_eq!(text(2, "calcMode"), "2");
    assert_eq!(text(3, "shareMode"), "my readers");
    assert_eq!(
        (elements[4].enabled, elements[4].name.as_str()),
        (false, "old")
    );
}

#[test]
fn other_roots_and_what_stands_beside_the_plan() {
    let text = r#"<org.apache.jmeter.save.ScriptWrapper>
<testPlan class="org.apache.jorphan.collections.ListedHashTree">
<org.apache.jmeter.testelement.TestPlan testname="old"/><hashTree><Arguments/></hashTree>
<WorkBench testname="bench"/><hashTree><ProxyControl/></hashTree>
</testPlan></org.apache.jmeter.save.ScriptWrapper>"#;
    let document = read(text.as_bytes(), Limits::STANDARD).unwrap();
    assert_eq!(document.root.name, "old");
    assert_eq!(document.root.children[0].class, "Arguments");
    assert_eq!(document.beside[0].class, "WorkBench");
    assert_eq!(document.beside[0].children[0].class, "ProxyControl");
}

#[test]
fn what_is_not_understood_is_told() {
    let text =
        plan("<Arguments><strangeProp name=\"x\"/><objProp><name>y</name></objProp></Arguments>");
    let document = read(text.as_bytes(), Limits::STANDARD).unwrap();
    let texts: Vec<_> = document
        .oddities
        .iter()
        .map(|oddity| (oddity.line, oddity.text.as_str()))
        .collect();
    let expected = [
        (5, "`strangeProp` is no property that is known"),
        (5, "`objProp` `y` has no value"),
    ];
    assert_eq!(texts, expected);
}

#[test]
fn encodings() {
    let name = |bytes: &[u8]| read(bytes, Limits::STANDARD).unwrap().root.name;
    let text = |encoding: &str| {
        format!(
            "<?xml version=\"1.1\" encoding=\"{encoding}\"?>\r\n<jmeterTestPlan><hashTree>\
             <TestPlan testname=\"é\"/></hashTree></jmeterTestPlan>"
        )
    };
    let utf16 = |text: &str, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    };
    assert_eq!(name(text("UTF-8").as_bytes()), "é");
    assert_eq!(name(format!("\u{feff}{}", text("UTF-8")).as_bytes()), "é");
    // JMeter reads UTF-8 whatever is declared.
    assert_eq!(name(text("GBK").as_bytes()), "é");
    let latin: Vec<u8> = text("iso-8859-1").chars().map(|c| c as u8).collect();
    assert_eq!(name(&latin), "é");
    assert_eq!(name(&utf16(&text("UTF-16"), u16::to_le_bytes)), "é");
    assert_eq!(
        name(&utf16(
            &format!("\u{feff}{}", text("UTF-16")),
            u16::to_be_bytes
        )),
        "é"
    );
    let chinese: Vec<u8> = text("GBK").chars().map(|c| c as u8).collect();
    let reason =
        "line 1, column 1: the encoding `GBK` is not supported; UTF-8, UTF-16, ISO-8859-1 are";
    assert_eq!(refused(&chinese), (1, reason.to_owned()));
    let wrong: Vec<u8> = text("utf-8").chars().map(|c| c as u8).collect();
    assert_eq!(
        refused(&wrong).1,
        "line 2, column 47: the file is not UTF-8 from here on"
    );
}

#[test]
fn what_is_no_plan_is_refused_with_its_place() {
    let good = plan("");
    let check = |text: &str, line: u32, expected: &str| {
        let (at, error) = refused(text.as_bytes());
        assert!(error.contains(expected), "{error}");
        assert_eq!(at, line, "{error}");
    };
    check("", 1, "the file is empty");
    check(
        "version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
        1,
        "git lfs pull",
    );
    check(
        "hello",
        1,
        "line 1, column 1: not well-formed XML: text stands before",
    );
    check("\n\n  \n", 1, "there is no element");
    check("<a>\n<b></a>", 2, "not well-formed XML");
    check("<a>\n\n", 3, "`a` of line 1 is not closed");
    check("<a x=1/>", 1, "not well-formed XML");
    check("<html>\n</html>", 1, "the root is `html`");
    check(
        "<jmeterTestPlan><hashTree/></jmeterTestPlan>",
        1,
        "no `TestPlan`",
    );
    check(&format!("{good}{good}"), 7, "that began on line 2");
    check(&format!("{good}\n x"), 6, "something follows the end");
    check(
        "<?xml version=\"1.0\"?>\n<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>",
        2,
        "document type",
    );
    check("<a>\n  &bomb;</a>", 2, "the entity `&bomb;` is not defined");
    check(
        "<a>\n<b c=\"&bomb;\"/></a>",
        2,
        "the entity `&bomb;` is not defined",
    );
    check("<a b='&#xD800;'/>", 1, "the entity `&#xD800;`");
}

#[test]
fn limits_hold() {
    let limits = Limits {
        bytes: 400,
        depth: 5,
        elements: 8,
    };
    let error = |text: &str| read(text.as_bytes(), limits).unwrap_err();
    let long = " ".repeat(401);
    assert_eq!(
        error(&long),
        ReadError::TooLarge {
            bytes: 401,
            limit: 400
        }
    );
    let at = |line, column| Place { line, column };
    let deep = "<a>".repeat(6);
    let expected = ReadError::TooDeep {
        at: at(1, 16),
        limit: 5,
    };
    assert_eq!(error(&deep), expected);
    let many = format!("<a>\n{}</a>", "<b/>".repeat(8));
    let expected = ReadError::TooMany {
        at: at(2, 29),
        limit: 8,
    };
    assert_eq!(error(&many), expected);
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(
        pieces in prop::collection::vec(
            prop::sample::select(vec![
                "<", ">", "</", "/>", "hashTree", "<hashTree>", "</hashTree>", "<TestPlan/>",
                "<stringProp name=\"a\">", "</stringProp>", "&", ";", "&#1;", "<![CDATA[", "]]>",
                "<!--", "-->", "<?", "?>", "<!DOCTYPE", "\"", "'", "=", " ", "\n", "é", "x",
            ]),
            0..60,
        )
    ) {
        let text = format!("<jmeterTestPlan>{}", pieces.concat());
        let read = read(text.as_bytes(), Limits::STANDARD);
        prop_assert!(read.is_err() || text.contains("</"));
    }
}
