use super::*;

const MINIMAL: &str = r#"
format = 1
name = "probe"
[[step]]
name = "get"
weight = 1
[step.request]
method = "GET"
path = "/"
success = [200]
"#;

#[test]
fn the_funnel_is_the_one_of_the_requirements() {
    let plan = Plan::built_in("funnel", &[]).unwrap();
    let steps: Vec<(&str, f64, f64, Option<&str>)> = plan
        .steps()
        .iter()
        .map(|step| {
            let parent = step.parent.map(|parent| plan.steps()[parent].name.as_str());
            (
                step.name.as_str(),
                step.weight,
                (step.peak_weight * 1e9).round() / 1e9,
                parent,
            )
        })
        .collect();
    assert_eq!(
        steps,
        [
            ("visit", 1.0, 1.0, None),
            ("browse", 0.85, 0.85, None),
            ("search", 0.60, 0.60, None),
            ("view_detail", 0.45, 0.45, None),
            ("add_cart", 0.18, 0.45, None),
            ("checkout", 0.12, 0.24, Some("add_cart")),
            ("payment", 0.10, 0.18, Some("checkout")),
        ]
    );
    assert!((plan.requests_per_visit(false) - 2.30).abs() < 1e-9);
    assert!((plan.requests_per_visit(true) - 2.77).abs() < 1e-9);
    assert!((plan.writes_per_visit(false) - 0.40).abs() < 1e-9);
    assert_eq!(plan.steps()[4].descendants, 0b110_0000);
}

#[test]
fn the_search_list_is_long_distinct_and_led_by_the_five_keywords() {
    let queries = built_in::list("search-queries").unwrap();
    assert!(queries.len() >= 1_000);
    assert_eq!(queries[..5], ["手機", "服飾", "家電", "美妝", "數碼"]);
    let distinct: std::collections::HashSet<&String> = queries.iter().collect();
    assert_eq!(distinct.len(), queries.len());
    assert!(
        queries
            .iter()
            .all(|query| !query.trim().is_empty() && query.chars().count() <= 40)
    );
}

#[test]
fn every_built_in_plan_compiles_and_knows_its_parameters() {
    for name in BUILT_IN_NAMES {
        let plan = Plan::built_in(name, &[]).unwrap();
        assert_eq!(plan.name(), name);
        assert!(!plan.description().is_empty());
        let smaller = Plan::built_in(name, &[("products", 999.0)]).unwrap();
        assert_ne!(plan.hash(), smaller.hash());
        let error = Plan::built_in(name, &[("product", 1.0)]).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("{name}: the plan has no parameter `product`")
        );
    }
    let delayed = Plan::built_in("funnel", &[("delayed_payments", 0.02)]).unwrap();
    let payment = delayed.steps()[6].delayed.as_ref().unwrap();
    assert!((payment.share - 0.02).abs() < 1e-12);
    assert_eq!(payment.pause.min, Duration::from_secs(19));
    assert!(
        Plan::built_in("nothing", &[])
            .unwrap_err()
            .to_string()
            .contains("funnel, session, day, flash-sale, orders")
    );
}

#[test]
fn the_hash_is_stable_and_ignores_layout() {
    let plain = Plan::parse("a", MINIMAL, &[]).unwrap();
    let commented = MINIMAL.replace("weight = 1", "weight   = 1.0 # all");
    assert_eq!(
        plain.hash(),
        Plan::parse("b", &commented, &[]).unwrap().hash()
    );
    let other = MINIMAL.replace("[200]", "[201]");
    assert_ne!(plain.hash(), Plan::parse("a", &other, &[]).unwrap().hash());
    assert_eq!(
        plain.hash(),
        "30573c0deff3ecf33743a94b8859464a",
        "a stored hash must stay true"
    );
}

/// Replaces one line of the minimal plan and expects one problem, at the place of `marker`.
fn check(from: &str, to: &str, marker: &str, expected: &str) {
    let text = MINIMAL.replace(from, to);
    assert_ne!(text, MINIMAL);
    let error = Plan::parse("plan.toml", &text, &[]).unwrap_err();
    let offset = text.find(marker).unwrap();
    let line = text.get(..offset).unwrap().matches('\n').count() + 1;
    let shown = error.to_string();
    let place = format!("plan.toml:{line}:");
    assert!(
        shown.starts_with(&place) && shown.contains(expected),
        "{place} {expected}: {shown}"
    );
    assert_eq!(error.problems.len(), 1, "{shown}");
}

/// What is replaced, by what, the place of the problem, and a part of its message.
const MISTAKES: &[(&str, &str, &str, &str)] = &[
    ("format = 1", "format = 2", "format", "must be 1"),
    (
        "name = \"probe\"",
        "name = \"pro be\"",
        "name",
        "a name consists of",
    ),
    ("weight = 1", "weight = 1.5", "weight", "a share of visits"),
    ("weight = 1", "weight = -0.1", "weight", "a share of visits"),
    (
        "weight = 1",
        "weight = 1\nwithin = \"other\"",
        "within",
        "there is no step `other`",
    ),
    (
        "weight = 1",
        "weight = 1\nwithin = \"get\"",
        "within",
        "nested in itself",
    ),
    (
        "weight = 1",
        "wieght = 1",
        "wieght",
        "unknown field `wieght`",
    ),
    (
        "weight = 1",
        "weight = 1\npeak_factor = -1",
        "peak_factor",
        "from 0",
    ),
    (
        "method = \"GET\"",
        "method = \"get\"",
        "method",
        "one of GET, POST",
    ),
    ("path = \"/\"", "path = \"/a b\"", "path", "printable"),
    ("path = \"/\"", "path = \"a\"", "path", "starts with `/`"),
    (
        "path = \"/\"",
        "path = \"/${x}\"",
        "path",
        "no data and no extracted value `x`",
    ),
    (
        "path = \"/\"",
        "path = \"/${x\"",
        "path",
        "without a closing",
    ),
    (
        "path = \"/\"",
        "path = \"/\"\nbody = '{}'",
        "body",
        "no body",
    ),
    ("success = [200]", "success = []", "success", "statuses"),
    (
        "success = [200]",
        "success = [200]\nextract = { a = \"b\" }",
        "extract",
        "starts with `/`",
    ),
    (
        "success = [200]",
        "success = [200]\nheaders = { Expect = \"b\" }",
        "headers",
        "set by the load engine",
    ),
    (
        "success = [200]",
        "success = [200]\nheaders = { Accept-Encoding = \"b\" }",
        "headers",
        "bodies are not decoded",
    ),
    (
        "success = [200]",
        "success = [200]\nheaders = { range = \"b\" }",
        "headers",
        "bodies are not decoded",
    ),
    (
        "success = [200]",
        "success = [200]\nheaders = { If-None-Match = \"b\" }",
        "headers",
        "bodies are not decoded",
    ),
    (
        "success = [200]",
        "success = [200]\nheaders = { if-modified-since = \"b\" }",
        "headers",
        "bodies are not decoded",
    ),
    (
        "success = [200]",
        "success = [200]\nheaders = { Host = \"b\" }",
        "headers",
        "`Host`",
    ),
    (
        "success = [200]",
        "success = [200]\n[data.x]\nkind = \"uuid\"\nmin = 1",
        "[data.x]",
        "min",
    ),
    (
        "success = [200]",
        "success = [200]\n[data.x]\nkind = \"uniform\"\nmin = 2\nmax = 1",
        "[data.x]",
        "`min` is above `max`",
    ),
    (
        "success = [200]",
        "success = [200]\n[data.x]\nkind = \"zipf\"\nexponent = 1\nmax = \"n\"",
        "[data.x]",
        "no parameter `n`",
    ),
    (
        "success = [200]",
        "success = [200]\n[data.x]\nkind = \"choice\"\nvalues = []",
        "[data.x]",
        "weight above 0",
    ),
    (
        "success = [200]",
        "success = [200]\n[data.x]\nkind = \"list\"",
        "[data.x]",
        "either",
    ),
    (
        "success = [200]",
        "success = [200]\n[data.x]\nkind = \"repeat\"\nmin = 1\nmax = 2\ndistinct = \"y\"\ntemplate = '1'",
        "[data.x]",
        "no `y` to be distinct",
    ),
    ("success = [200]", "success = [", "success", ""),
];

#[test]
fn mistakes_are_located() {
    for (from, to, marker, expected) in MISTAKES {
        check(from, to, marker, expected);
    }
    let error = Plan::parse("p", &MINIMAL.replace("weight = 1", "weight = 0"), &[]).unwrap_err();
    assert!(error.to_string().contains("weight above 0"), "{error}");
}

/// A profile or a retry that is put into the minimal plan, the place of the problem in it, and a part
/// of the message.
const PROFILE_MISTAKES: &[(&str, &str, &str)] = &[
    ("[profile]\nusers = 5", "[profile]", "either `hours` or"),
    (
        "[profile]\n[[profile.phase]]\nname = \"a\"\nduration_s = 1",
        "[profile]",
        "one of",
    ),
    (
        "[profile]\nusers = 5\nvisits_per_second = 5\n[[profile.phase]]\nname = \"a\"\nduration_s = 1",
        "[profile]",
        "one of",
    ),
    ("[profile]\nuser = 5", "user", "unknown field `user`"),
    (
        "[profile]\nvisits_per_second = 0\n[[profile.phase]]\nname = \"a\"\nduration_s = 1",
        "0\n",
        "a rate is above 0",
    ),
    (
        "[profile]\nusers = 0\n[[profile.phase]]\nname = \"a\"\nduration_s = 1",
        "0\n",
        "from 1 to 1,000,000",
    ),
    (
        "[profile]\nusers = 1\nspread = \"even\"\n[[profile.phase]]\nname = \"a\"\nduration_s = 1",
        "\"even\"",
        "do not arrive",
    ),
    (
        "[profile]\nvisits_per_second = 1\nspread = \"random\"",
        "\"random\"",
        "unknown variant `random`",
    ),
    (
        "[profile]\nvisits_per_second = 1\ntime_scale = 0\n[[profile.phase]]\nname = \"a\"\nduration_s = 1",
        "0\n[[",
        "`time_scale` is above 0",
    ),
    (
        "[profile]\nvisits_per_second = 1\nhours = [1, 2]",
        "[1, 2]",
        "24 multipliers",
    ),
    (
        "[profile]\nvisits_per_second = 1\nhours = [0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]",
        "[0,",
        "not all 0",
    ),
    (
        "[profile]\nvisits_per_second = 1\nhour = 24\nhours = [1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]",
        "24\n",
        "from 0 to 23",
    ),
    (
        "[profile]\nusers = 7\nhours = [1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]",
        "7\n",
        "cannot follow",
    ),
    (
        "[profile]\nvisits_per_second = 1\npeak_above = 3\n[[profile.phase]]\nname = \"a\"\nduration_s = 1",
        "3\n",
        "needs `hours`",
    ),
    (
        "[profile]\nvisits_per_second = 1\n[[profile.phase]]\nname = \"a b\"\nduration_s = 1",
        "\"a b\"",
        "a name consists of",
    ),
    (
        "[profile]\nvisits_per_second = 1\n[[profile.phase]]\nname = \"a\"\nduration_s = 0",
        "0\n",
        "longer than 0 s",
    ),
    (
        "[profile]\nvisits_per_second = 1\n[[profile.phase]]\nname = \"a\"\nduration_s = 1\nfactor = -1",
        "-1",
        "a factor is from 0",
    ),
    (
        "[profile]\nvisits_per_second = 1\n[[profile.phase]]\nname = \"a\"\nduration_s = 1\nfrom = 1",
        "\"a\"",
        "either `factor`, or `from` and `to`",
    ),
    (
        "[profile]\nvisits_per_second = 1\n[[profile.phase]]\nname = \"a\"\nduration_s = 1\nfactors = 1",
        "factors",
        "unknown field `factors`",
    ),
    (
        "[profile]\nusers = 1\n[[profile.phase]]\nname = \"a\"\nduration_s = 1\nfactor = 2",
        "2\n",
        "has no factor",
    ),
];

#[test]
fn mistakes_in_a_profile_are_located() {
    let start = "format = 1\nname = \"probe\"\n";
    let journey = MINIMAL.split_once("name = \"probe\"").unwrap().1;
    for (profile, marker, expected) in PROFILE_MISTAKES {
        let text = format!("{start}{profile}\n{journey}");
        let error = Plan::parse("plan.toml", &text, &[]).unwrap_err();
        let after = start.len() + format!("{profile}\n").find(marker).unwrap();
        let before = text.get(..after).unwrap();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap().chars().count() + 1;
        let shown = error.to_string();
        let place = format!("plan.toml:{line}:{column}: ");
        assert!(
            shown.starts_with(&place) && shown.contains(expected),
            "{place}{expected}: {shown}"
        );
        assert_eq!(error.problems.len(), 1, "{shown}");
    }
    let twice = "[profile]\nvisits_per_second = 1\n[[profile.phase]]\nname = \"a\"\nduration_s = 1\n\
                 [[profile.phase]]\nname = \"a\"\nduration_s = 1";
    let error = Plan::parse("p", &format!("{start}{twice}\n{journey}"), &[]).unwrap_err();
    assert_eq!(error.to_string(), "p:9:8: there are two phases `a`");
}

#[test]
fn retries_that_make_no_sense_are_located() {
    let post = MINIMAL
        .replace("\"GET\"", "\"POST\"")
        .replace("[200]", "[200]\nidempotency_key = true");
    let with = |text: &str, retry: &str| {
        let text = format!("{text}[step.retry]\n{retry}\n");
        let line = text.get(..text.find("[step.retry]").unwrap()).unwrap();
        let line = line.matches('\n').count() + 1;
        (line, Plan::parse("p", &text, &[]))
    };
    let good = "attempts = 3\nstatuses = [503]\nmin_s = 0.1\nmax_s = 0.2";
    let retry = with(&post, good).1.unwrap().steps()[0]
        .retry
        .clone()
        .unwrap();
    let expected = Retry {
        attempts: 3,
        statuses: vec![503],
        transport: false,
        pause: Pause {
            min: Duration::from_millis(100),
            max: Duration::from_millis(200),
        },
        retry_after_max: Duration::from_secs(1),
    };
    assert_eq!(retry, expected);
    assert!(with(MINIMAL, good).1.is_ok(), "a GET needs no key");
    assert!(
        Plan::parse("p", MINIMAL, &[]).unwrap().steps()[0]
            .retry
            .is_none()
    );
    let keyless = MINIMAL.replace("\"GET\"", "\"POST\"");
    for (text, retry, expected) in [
        (&keyless, good.to_owned(), "set `idempotency_key = true`"),
        (&post, good.replace('3', "1"), "from 2 to 10"),
        (&post, good.replace("3\n", "11\n"), "from 2 to 10"),
        (&post, good.replace("[503]", "[]"), "needs `statuses`"),
        (&post, good.replace("[503]", "[200]"), "200 is no failure"),
        (&post, good.replace("0.2", "0.05"), "a pause needs"),
        (
            &post,
            format!("{good}\nretry_after_max_s = -1"),
            "`retry_after_max_s`",
        ),
        (
            &post,
            format!("{good}\nretries = 1"),
            "unknown field `retries`",
        ),
    ] {
        let (line, result) = with(text, &retry);
        let error = result.unwrap_err();
        let shown = error.to_string();
        let line = if shown.contains("unknown") {
            line + 5
        } else {
            line
        };
        assert!(shown.starts_with(&format!("p:{line}:")), "{line}: {shown}");
        assert!(shown.contains(expected), "{expected}: {shown}");
        assert_eq!(error.problems.len(), 1, "{shown}");
    }
}

#[test]
fn the_example_in_the_documentation_is_a_plan() {
    let page = include_str!("../../../../docs/PLANS.md");
    let (_, rest) = page.split_once("```toml\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    let plan = Plan::parse("PLANS.md", example, &[("products", 7.0)]).unwrap();
    assert!((plan.requests_per_visit(true) - 1.2).abs() < 1e-9);
    assert_eq!(plan.traffic().unwrap().phases.len(), 3);
    for name in BUILT_IN_NAMES {
        assert!(
            page.contains(&format!("\n| `{name}` | ")),
            "{name} is not in the table"
        );
    }
}

#[test]
fn the_journey_of_the_day_is_the_funnels() {
    let (day, funnel) = ["day", "funnel"]
        .map(|name| Plan::built_in(name, &[]).unwrap())
        .into();
    for (ours, theirs) in day.steps().iter().zip(funnel.steps()) {
        assert_eq!(
            format!("{:?}", ours.request),
            format!("{:?}", theirs.request)
        );
        let facts = |step: &Step| {
            (
                step.name.clone(),
                step.weight,
                step.peak_weight,
                step.parent,
            )
        };
        assert_eq!(facts(ours), facts(theirs));
    }
    assert_eq!(day.steps().len(), funnel.steps().len());
}

#[test]
fn mistakes_between_steps_are_located() {
    let second = |line: &str| {
        format!(
            "{MINIMAL}[[step]]\nname = \"next\"\n{line}\n[step.request]\nmethod = \"POST\"\n\
             path = \"/\"\nsuccess = [200]\nbody = '{{\"a\": ${{id}}, \"b\": [\"${{id}}\"]}}'\n"
        )
        .replacen(
            "success = [200]",
            "success = [200]\nextract = { id = \"/id\" }",
            1,
        )
    };
    assert!(Plan::parse("p", &second("weight = 0.5\nwithin = \"get\""), &[]).is_ok());
    for (line, expected) in [
        (
            "weight = 0.5",
            "`id` comes from a step that may not have been made",
        ),
        ("weight = 0.5\nwithin = \"last\"", "there is no step `last`"),
    ] {
        let error = Plan::parse("p", &second(line), &[])
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{error}");
    }
    let halved = second("weight = 0.5\nwithin = \"get\"").replacen("weight = 1", "weight = 0.4", 1);
    let error = Plan::parse("p", &halved, &[]).unwrap_err().to_string();
    assert!(
        error.contains("cannot be above the 0.4 of `get`"),
        "{error}"
    );
    let not_json = second("weight = 0.5\nwithin = \"get\"").replace("\"a\":", "a:");
    let error = Plan::parse("p", &not_json, &[]).unwrap_err().to_string();
    assert!(error.contains("the body is not JSON"), "{error}");
    let twice = second("weight = 0.5\nwithin = \"get\"").replace("\"next\"", "\"get\"");
    assert!(
        Plan::parse("p", &twice, &[])
            .unwrap_err()
            .to_string()
            .contains("two steps `get`")
    );
}

#[test]
fn a_cycle_is_named_as_one() {
    let text = MINIMAL.replace("weight = 1", "weight = 0.5\nwithin = \"next\"")
        + "[[step]]\nname = \"next\"\nweight = 0.5\nwithin = \"get\"\n";
    let error = Plan::parse("p", &text, &[]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "p:7:10: `get` is nested in itself through `next`"
    );
    let forward = text.replace("within = \"get\"", "");
    let error = Plan::parse("p", &forward, &[]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "p:7:10: `next` must stand above the steps within it"
    );
}

#[test]
fn the_weight_at_the_peak_is_capped_by_the_step_before() {
    let text = MINIMAL.replace("weight = 1", "weight = 0.4\npeak_factor = 2")
        + "[[step]]\nname = \"next\"\nweight = 0.3\npeak_factor = 9\nwithin = \"get\"\n\
           [[step]]\nname = \"alone\"\nweight = 0.3\npeak_factor = 9\n";
    let plan = Plan::parse("p", &text, &[]).unwrap();
    let peaks: Vec<f64> = plan.steps().iter().map(|step| step.peak_weight).collect();
    assert_eq!(peaks, [0.8, 0.8, 1.0]);
}
