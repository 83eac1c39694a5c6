//! Controllers: from elements to what [`crate::walk`] knows.

use std::sync::Mutex;

use double11_jmx::document::Element;

use crate::compiler::Compiler;
use crate::walk::{Condition, Count, Kind, ThroughputCounts, ThroughputStyle};

/// The controller that an element is; `None` when it is none.
pub(super) fn compile(element: &Element, compiler: &mut Compiler) -> Option<Kind> {
    compiler.enter(element);
    let kind = match element.class.as_str() {
        "GenericController"
        | "ModuleController"
        | "IncludeController"
        | "RecordingController"
        | "TestFragmentController" => Kind::Generic,
        "LoopController" => main_loop(element, compiler),
        "OnceOnlyController" => Kind::OnceOnly,
        "IfController" => Kind::If {
            condition: if element.is("IfController.useExpression", false) {
                Condition::text(compiler.property(element, "IfController.condition"))
            } else {
                Condition::script(element, "IfController.condition", compiler)
            },
            each: element.is("IfController.evaluateAll", false),
        },
        "WhileController" => Kind::While(compiler.property(element, "WhileController.condition")),
        "ForeachController" => for_each(element, compiler),
        "SwitchController" => Kind::Switch(compiler.property(element, "SwitchController.value")),
        "InterleaveControl" => Kind::Interleave {
            by_sampler: element.text_or("InterleaveControl.style", "0") != "1",
            across_users: element.is("InterleaveControl.accrossThreads", false),
        },
        "RandomController" => Kind::Random {
            by_sampler: element.text_or("InterleaveControl.style", "0") != "1",
        },
        "RandomOrderController" => Kind::RandomOrder,
        "ThroughputController" => throughput(element, compiler),
        "TransactionController" => Kind::Transaction {
            parent: element.is("TransactionController.parent", false),
            timers: element.is("TransactionController.includeTimers", true),
        },
        "RunTime" => Kind::Runtime(Count::new(compiler.property(element, "RunTime.seconds"))),
        "CriticalSectionController" => {
            let name = "CriticalSectionController.lockName";
            Kind::Critical(compiler.property(element, name))
        }
        _ => return None,
    };
    Some(kind)
}

/// A loop, also the one that a thread group holds.
pub(super) fn main_loop(element: &Element, compiler: &mut Compiler) -> Kind {
    Kind::Loop {
        loops: Count::new(compiler.property(element, "LoopController.loops")),
        forever: element.is("LoopController.continue_forever", false),
    }
}

fn for_each(element: &Element, compiler: &mut Compiler) -> Kind {
    let end = "ForeachController.endIndex";
    Kind::ForEach {
        input: compiler.property(element, "ForeachController.inputVal"),
        output: compiler.property(element, "ForeachController.returnVal"),
        start: Count::new(compiler.property(element, "ForeachController.startIndex")),
        end: element
            .properties
            .get(end)
            .map(|_| Count::new(compiler.property(element, end))),
        separator: element.is("ForeachController.useSeparator", true),
    }
}

fn throughput(element: &Element, compiler: &mut Compiler) -> Kind {
    let style = if element.text("ThroughputController.style") == "1" {
        let percent = number(element, "ThroughputController.percentThroughput");
        ThroughputStyle::Percent(compiler.template(percent.unwrap_or("100")))
    } else {
        let times = number(element, "ThroughputController.maxThroughput");
        ThroughputStyle::Times(Count::new(compiler.template(times.unwrap_or("1"))))
    };
    let alone = element.is("ThroughputController.perThread", false);
    Kind::Throughput {
        style,
        shared: (!alone).then(|| Mutex::new(ThroughputCounts::default())),
    }
}

/// A number that is a text, or, in old plans and for shares, the value of a property in an element.
fn number<'a>(element: &'a Element, property: &str) -> Option<&'a str> {
    let direct = element.properties.text(property);
    direct.or_else(|| {
        let wrapped = element.element(property)?;
        wrapped.properties.text("value")
    })
}
