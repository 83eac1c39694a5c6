//! Sequences of samplers, checked by hand against the controllers of `JMeter`.

use double11_jmx::document::Element;

use super::*;
use crate::plan::tests::{group, plan, sampler, user, with};
use crate::plan::{Group, Plan};

struct Counting {
    iterations: u32,
}

impl Iterations for Counting {
    fn user(&mut self, _: &mut User) -> Result<(), Stop> {
        self.iterations += 1;
        Ok(())
    }

    fn data(&mut self, _: u32, _: &mut User) -> Result<(), Stop> {
        Ok(())
    }
}

/// The names of the samplers of one user, iterations apart by `|`; at most 60.
fn names(plan: &Plan, user: &mut User) -> String {
    let group = &plan.groups[0];
    let mut walk = Walk::new(&group.tree, user);
    let mut counting = Counting { iterations: 0 };
    let mut names = Vec::new();
    while !walk.is_done() && names.len() < 60 {
        while let Some(step) = walk.next(&group.tree, user, &mut counting).unwrap() {
            if names.len() >= 60 {
                break;
            }
            names.push(name(&mut walk, group, user, &step));
        }
        for finished in walk.finished() {
            names.push(format!(
                "[{}: {}]",
                finished.result.label, finished.result.message
            ));
        }
        names.push("|".to_owned());
    }
    names.join(" ")
}

fn name(walk: &mut Walk, group: &Group, user: &mut User, step: &Step) -> String {
    match walk.resolve(step) {
        (_, Some(sampler)) => {
            let name = &group.tree.samplers[sampler.0 as usize].name;
            user.render(name).into_owned()
        }
        (transactions, None) => match transactions.last() {
            Some(id) => format!("[{} over]", user.render(&group.tree.controller(*id).name)),
            None => "yield".to_owned(),
        },
    }
}

fn check(loops: &str, children: Vec<Element>, expected: &str) {
    let plan = plan(vec![group(loops, children)]);
    assert_eq!(names(&plan, &mut user()), expected);
}

fn controller(class: &str, children: &[&str]) -> Element {
    let children = children.iter().map(|name| sampler(name)).collect();
    with(Element::new(class, class), children)
}

fn looped(loops: &str, forever: &str, children: &[&str]) -> Element {
    controller("LoopController", children)
        .with("LoopController.loops", loops)
        .with("LoopController.continue_forever", forever)
}

#[test]
fn loops_run_as_often_as_they_say() {
    check("2", vec![sampler("A"), sampler("B")], "A B A B |");
    check(
        "2",
        vec![looped("2", "true", &["A"]), sampler("B")],
        "A A B A A B |",
    );
    // A loop that may not be entered again is gone from the second iteration on.
    check(
        "2",
        vec![looped("2", "false", &["A"]), sampler("B")],
        "A A B B |",
    );
    check("1", vec![looped("0", "true", &["A"]), sampler("B")], "B |");
    check("1", vec![looped("x", "true", &["A"]), sampler("B")], "B |");
    check("0", vec![sampler("A")], "|");
    check("2", vec![], "|");
}

#[test]
fn simple_and_once_only() {
    check(
        "2",
        vec![controller("GenericController", &["A", "B"])],
        "A B A B |",
    );
    check(
        "3",
        vec![controller("OnceOnlyController", &["A"]), sampler("B")],
        "A B B B |",
    );
    // Within a loop it is once in each run of the loop.
    let inner = with(
        looped("2", "true", &[]),
        vec![controller("OnceOnlyController", &["A"]), sampler("B")],
    );
    check("2", vec![inner], "A B B A B B |");
    // Within a controller that is no loop it is once.
    let inner = with(
        Element::new("GenericController", "S"),
        vec![controller("OnceOnlyController", &["A"]), sampler("B")],
    );
    check("2", vec![inner], "A B B |");
}

fn conditional(condition: &str, each: &str) -> Element {
    controller("IfController", &["A", "B"])
        .with("IfController.useExpression", "true")
        .with("IfController.condition", condition)
        .with("IfController.evaluateAll", each)
}

#[test]
fn if_asks_once_or_each_time() {
    check(
        "2",
        vec![conditional("true", "false"), sampler("C")],
        "A B C A B C |",
    );
    check(
        "2",
        vec![conditional("TRUE ", "true"), sampler("C")],
        "A B C A B C |",
    );
    check(
        "2",
        vec![conditional("false", "false"), sampler("C")],
        "C C |",
    );
    check("1", vec![conditional("yes", "true"), sampler("C")], "C |");
}

#[test]
fn while_runs_until_its_condition_says_false() {
    let counted = |condition: &str| {
        controller("WhileController", &["A"]).with("WhileController.condition", condition)
    };
    check("2", vec![counted("false"), sampler("B")], "B B |");
    let mut user = user();
    user.variables.set("JMeterThread.last_sample_ok", "false");
    let own = plan(vec![group("1", vec![counted(""), sampler("B")])]);
    // Without a condition it runs until a sample fails, which is asked at its end only.
    assert_eq!(names(&own, &mut user), "A B |");
    let own = plan(vec![group("1", vec![counted("LAST"), sampler("B")])]);
    assert_eq!(names(&own, &mut user), "B |");
    // It counts its rounds in a variable.
    let text = "${__isVarDefined(gone)}";
    let own = plan(vec![group("1", vec![counted(text), sampler("B")])]);
    assert_eq!(names(&own, &mut user), "B |");
}

#[test]
fn for_each_goes_through_variables() {
    let for_each = Element::new("ForeachController", "Each")
        .with("ForeachController.inputVal", "in")
        .with("ForeachController.returnVal", "out");
    let children = vec![sampler("${out} ${__jm__Each__idx}")];
    let own = plan(vec![group(
        "2",
        vec![with(for_each.clone(), children.clone()), sampler("Z")],
    )]);
    let mut with_values = user();
    for (name, value) in [("in_1", "x"), ("in_2", "y"), ("in_3", "z"), ("in_5", "w")] {
        with_values.variables.set(name, value);
    }
    assert_eq!(
        names(&own, &mut with_values),
        "x 0 y 1 z 2 Z x 0 y 1 z 2 Z |"
    );
    let bounded = for_each
        .with("ForeachController.startIndex", "1")
        .with("ForeachController.endIndex", "2");
    let own = plan(vec![group(
        "1",
        vec![with(bounded, children), sampler("Z")],
    )]);
    assert_eq!(names(&own, &mut with_values), "y 1 Z |");
    assert_eq!(names(&own, &mut user()), "Z |");
}

#[test]
fn switch_takes_one_by_number_or_name() {
    let switch = |value: &str| {
        controller("SwitchController", &["A", "B", "Default"]).with("SwitchController.value", value)
    };
    check("2", vec![switch("1"), sampler("Z")], "B Z B Z |");
    check("1", vec![switch(""), sampler("Z")], "A Z |");
    check("1", vec![switch("9"), sampler("Z")], "A Z |");
    check("1", vec![switch("B")], "B |");
    check("1", vec![switch("b")], "Default |");
}

#[test]
fn interleave_takes_one_after_the_other() {
    check(
        "4",
        vec![
            controller("InterleaveControl", &["A", "B", "C"]),
            sampler("Z"),
        ],
        "A Z B Z C Z A Z |",
    );
    let nested = |style: &str| {
        with(
            Element::new("InterleaveControl", "I").with("InterleaveControl.style", style),
            vec![controller("GenericController", &["A", "B"]), sampler("C")],
        )
    };
    check("4", vec![nested("0"), sampler("Z")], "A Z C Z B Z C Z |");
    check(
        "4",
        vec![nested("1"), sampler("Z")],
        "A B Z C Z A B Z C Z |",
    );
}

#[test]
fn random_takes_one_of_them_and_random_order_all() {
    let own = plan(vec![group(
        "20",
        vec![controller("RandomController", &["A", "B"])],
    )]);
    let drawn = names(&own, &mut user());
    assert_eq!(drawn.matches(['A', 'B']).count(), 20, "{drawn}");
    assert!(drawn.contains('A') && drawn.contains('B'), "{drawn}");
    let own = plan(vec![group(
        "6",
        vec![controller("RandomOrderController", &["A", "B", "C"])],
    )]);
    let drawn = names(&own, &mut user());
    assert_eq!(drawn.matches('A').count(), 6, "{drawn}");
    assert_ne!(drawn, "A B C ".repeat(6) + "|");
}

#[test]
fn throughput_lets_a_share_or_a_number_through() {
    let throughput = |style: &str, times: &str, percent: &str| {
        controller("ThroughputController", &["A"])
            .with("ThroughputController.style", style)
            .with("ThroughputController.perThread", "true")
            .with("ThroughputController.maxThroughput", times)
            .with("ThroughputController.percentThroughput", percent)
    };
    check(
        "4",
        vec![throughput("0", "2", ""), sampler("B")],
        "A B A B B B |",
    );
    check(
        "4",
        vec![throughput("1", "", "50"), sampler("B")],
        "B A B B A B |",
    );
    check(
        "4",
        vec![throughput("1", "", "0"), sampler("B")],
        "B B B B |",
    );
    check(
        "2",
        vec![throughput("1", "", "100"), sampler("B")],
        "A B A B |",
    );
}

#[test]
fn transactions_count_what_is_in_them() {
    let transaction = |parent: &str, children: &[&str]| {
        controller("TransactionController", children).with("TransactionController.parent", parent)
    };
    let message = |calls| {
        format!("Number of samples in transaction : {calls}, number of failing samples : 0")
    };
    let label = "TransactionController";
    check(
        "1",
        vec![transaction("false", &["A", "B"]), sampler("C")],
        &format!("A B C [{label}: {}] |", message(2)),
    );
    check(
        "2",
        vec![transaction("true", &["A", "B"]), sampler("C")],
        "A B [TransactionController over] C A B [TransactionController over] C |",
    );
}

#[test]
fn loops_are_left_and_continued() {
    let inner = looped("3", "true", &["A", "B"]);
    let own = plan(vec![group("2", vec![inner, sampler("C")])]);
    let after_first_b = |action: LoopAction| {
        let group = &own.groups[0];
        let mut user = user();
        let mut walk = Walk::new(&group.tree, &mut user);
        let mut counting = Counting { iterations: 0 };
        let mut names = Vec::new();
        let mut acted = false;
        while !walk.is_done() {
            while let Some(step) = walk.next(&group.tree, &mut user, &mut counting).unwrap() {
                names.push(name(&mut walk, group, &mut user, &step));
                if !acted && names.last().is_some_and(|name| name == "B") {
                    acted = true;
                    let (_, sampler) = walk.resolve(&step);
                    walk.end_loops(&group.tree, &mut user, sampler.unwrap(), action);
                    names.push("!".to_owned());
                    break;
                }
            }
        }
        names.join(" ")
    };
    assert_eq!(after_first_b(LoopAction::Break), "A B ! C A B A B A B C");
    assert_eq!(
        after_first_b(LoopAction::NextOfLoop),
        "A B ! A B A B C A B A B A B C"
    );
    assert_eq!(after_first_b(LoopAction::NextOfUser), "A B ! A B A B A B C");
}

#[test]
fn a_controller_that_finds_nothing_for_ever_lets_others_go_on() {
    let own = plan(vec![group("-1", vec![conditional("false", "false")])]);
    let group = &own.groups[0];
    let mut user = user();
    let mut walk = Walk::new(&group.tree, &mut user);
    let mut counting = Counting { iterations: 0 };
    let step = walk.next(&group.tree, &mut user, &mut counting).unwrap();
    assert!(matches!(step, Some(Step::Yield)), "{step:?}");
}

#[test]
fn a_critical_section_is_held_by_one_user() {
    let section = controller("CriticalSectionController", &["A", "B"])
        .with("CriticalSectionController.lockName", "door");
    let own = plan(vec![group("1", vec![section, sampler("C")])]);
    let group = &own.groups[0];
    let mut first = user();
    let mut second = User::new(&first.run, "Group", 1, 2);
    let mut counting = Counting { iterations: 0 };
    let mut walk = Walk::new(&group.tree, &mut first);
    let mut other = Walk::new(&group.tree, &mut second);
    let tree = &group.tree;
    let is_sampler = |step: &Option<Step>| matches!(step, Some(Step::Sampler(_)));
    assert!(is_sampler(
        &walk.next(tree, &mut first, &mut counting).unwrap()
    ));
    let waits = other.next(tree, &mut second, &mut counting).unwrap();
    assert!(matches!(waits, Some(Step::Wait(_))), "{waits:?}");
    assert!(is_sampler(
        &walk.next(tree, &mut first, &mut counting).unwrap()
    ));
    // The step to what follows it lets it go.
    assert!(is_sampler(
        &walk.next(tree, &mut first, &mut counting).unwrap()
    ));
    assert!(is_sampler(
        &other.next(tree, &mut second, &mut counting).unwrap()
    ));
    other.release_all(&second);
    let lock: std::sync::Arc<Lock> = first.run.named("critical section door".to_owned());
    assert!(lock.take(&first.thread_name));
}
