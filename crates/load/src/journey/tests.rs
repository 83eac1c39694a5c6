use super::*;
use crate::plan::Write;

const SHOPPERS: u64 = 100_000;

impl Visit {
    /// Takes note of an answer; a failure ends the visit, as where nothing is tried again.
    fn conclude<'a>(
        &mut self,
        plan: &Plan,
        turn: Turn,
        status: u16,
        body: &'a [u8],
    ) -> Conclusion<'a> {
        let conclusion = self.judge(plan, turn, status, body);
        if let Outcome::Failed(_) = conclusion.outcome {
            self.give_up();
        }
        conclusion
    }
}

/// Makes every visit with successful answers and counts each step.
fn step_counts(plan: &Plan, seed: u64, peak: bool) -> Vec<f64> {
    let mut counts = vec![0.0; plan.steps().len()];
    let mut visit = Visit::new();
    for shopper in 0..SHOPPERS {
        visit.begin(plan, seed, shopper, peak);
        while let Some(turn) = visit.turn(plan) {
            counts[turn.step] += 1.0;
            let body =
                br#"{"order_id":"1","total":9.90,"cart_id":"1","payment_id":"1","status":"x"}"#;
            let status = plan.steps()[turn.step].request.as_ref().unwrap().success[0];
            let outcome = visit.conclude(plan, turn, status, body).outcome;
            assert_eq!(outcome, Outcome::Success);
        }
    }
    counts
}

/// Observed shares of every built-in plan, of all visits and within the step before, against its
/// definition: within three standard errors for three seeds, in normal times and at the peak.
#[test]
fn every_built_in_plan_is_walked_in_its_shares() {
    for name in crate::plan::BUILT_IN_NAMES {
        let plan = Plan::built_in(name, &[]).unwrap();
        for (peak, seed) in [(false, 1), (false, 2), (true, 3), (true, 4)] {
            let counts = step_counts(&plan, seed, peak);
            for (index, step) in plan.steps().iter().enumerate() {
                if step.request.is_none() {
                    continue;
                }
                let (of, share) = match step.parent {
                    Some(parent) => (
                        counts[parent],
                        step.share(peak) / plan.steps()[parent].share(peak),
                    ),
                    None => (SHOPPERS as f64, step.share(peak)),
                };
                let error = 3.0 * (of * share * (1.0 - share)).sqrt();
                let step = &step.name;
                let count = counts[index];
                assert!(
                    (count - of * share).abs() <= error.max(1e-6),
                    "{name}, {step}, peak {peak}, seed {seed}: {count} of {of}, not {share}"
                );
            }
        }
    }
}

/// What `plan show` prints makes the same choices as the built-in plan.
#[test]
fn the_text_of_a_built_in_plan_makes_its_choices() {
    for name in crate::plan::BUILT_IN_NAMES {
        let built_in = Plan::built_in(name, &[]).unwrap();
        let text = crate::plan::built_in_text(name).unwrap();
        let copy = Plan::parse("x.toml", text, &[]).unwrap();
        let requests: Vec<_> = (0..300).map(|shopper| walk(&copy, 7, shopper)).collect();
        assert!(requests.iter().any(|visit| !visit.is_empty()));
        for (shopper, visit) in (0..).zip(&requests) {
            assert_eq!(*visit, walk(&built_in, 7, shopper), "{name}");
        }
    }
}

/// The chances of the requirements' client: it buys with .05, at the peak .15, once the cart is
/// filled, and pays with .8 once the order is made.
#[test]
fn the_session_buys_and_pays_as_the_client_of_the_requirements() {
    let plan = Plan::built_in("session", &[]).unwrap();
    for (peak, buys) in [(false, 0.05), (true, 0.15)] {
        let counts = step_counts(&plan, 11, peak);
        let [browse, search, add_cart, purchase, payment] = counts[..] else {
            panic!("five steps");
        };
        let visits = SHOPPERS as f64;
        for (what, count, of, chance) in [
            ("browse", browse, visits, 0.7),
            ("search", search, visits, 0.6),
            ("add_cart", add_cart, visits, 0.2),
            ("purchase", purchase, add_cart, buys),
            ("payment", payment, purchase, 0.8),
        ] {
            let error: f64 = 3.0 * f64::sqrt(of * chance * (1.0 - chance));
            assert!(
                (count - of * chance).abs() <= error,
                "{what}, peak {peak}: {count} of {of}, not {chance}"
            );
        }
    }
    // Whoever is sold out does not pay; a payment beyond what is owed is a right answer.
    let sold_out = br#"{"code":"sold_out"}"#;
    let refused = (Outcome::ExpectedRefusal, Vec::new());
    assert_eq!(answered(&plan, "purchase", 409, sold_out), refused);
    let too_much = br#"{"code":"amount_exceeds_balance"}"#;
    assert_eq!(answered(&plan, "payment", 422, too_much), refused);
}

#[test]
fn the_session_asks_as_the_client_of_the_requirements() {
    let plan = Plan::built_in("session", &[]).unwrap();
    let mut keywords = std::collections::HashMap::<String, u32>::new();
    let (mut quantities, mut amounts) = ([0_u32; 4], 0_u32);
    for shopper in 0..50_000 {
        for (step, path, body, _) in walk(&plan, 3, shopper) {
            let json = || serde_json::from_str::<serde_json::Value>(&body).unwrap();
            match plan.steps()[step].name.as_str() {
                "search" => *keywords.entry(path).or_default() += 1,
                "add_cart" => {
                    let cart = json();
                    assert!((1..=1_000).contains(&cart["product_id"].as_u64().unwrap()));
                    quantities[usize::try_from(cart["quantity"].as_u64().unwrap()).unwrap()] += 1;
                    assert_eq!(cart.as_object().unwrap().len(), 2, "an anonymous cart");
                }
                "purchase" => assert_eq!(json()["user_id"], shopper),
                "payment" => {
                    assert!((50..=500).contains(&json()["amount"].as_u64().unwrap()));
                    amounts += 1;
                }
                _ => {}
            }
        }
    }
    assert_eq!(keywords.len(), 5);
    assert!(
        keywords
            .values()
            .all(|count| (5_700..6_300).contains(count)),
        "{keywords:?}"
    );
    assert!(
        quantities[0] == 0
            && quantities[1..]
                .iter()
                .all(|count| (3_100..3_600).contains(count))
    );
    assert!(amounts > 1_000);
}

#[test]
fn a_flash_sale_wants_single_pieces_of_few_products_and_tries_again() {
    let plan = Plan::built_in("flash-sale", &[("products", 5.0)]).unwrap();
    let mut wanted = [0.0_f64; 6];
    for shopper in 0..20_000 {
        for (step, _, body, key) in walk(&plan, 3, shopper) {
            if plan.steps()[step].name == "order" {
                let order: serde_json::Value = serde_json::from_str(&body).unwrap();
                let item = &order["items"][0];
                assert_eq!((&item["quantity"], key.is_some()), (&1.into(), true));
                wanted[usize::try_from(item["product_id"].as_u64().unwrap()).unwrap()] += 1.0;
            }
        }
    }
    // Zipf: rank r is wanted 1/r as often as rank 1.
    for (rank, count) in wanted.iter().enumerate().skip(2) {
        let expected = wanted[1] / rank as f64;
        assert!(
            (count - expected).abs() < 5.0 * expected.sqrt(),
            "{wanted:?}"
        );
    }
    for step in &plan.steps()[1..] {
        let retry = step.retry.as_ref().unwrap();
        assert_eq!((retry.attempts, retry.transport), (3, true));
        assert_eq!(retry.statuses, [503]);
    }
}

#[test]
fn pauses_before_retries_change_no_later_choice() {
    let plan = Plan::built_in("flash-sale", &[]).unwrap();
    let retry = plan.steps()[1].retry.clone().unwrap();
    let ok = br#"{"order_id":1,"total":9.90,"payment_id":"1","status":"x"}"#;
    let bodies = |retries: u32, shopper: u64| {
        let mut visit = Visit::new();
        let mut rendered = RenderedRequest::default();
        let mut seen = Vec::new();
        visit.begin(&plan, 5, shopper, true);
        while let Some(turn) = visit.turn(&plan) {
            visit.render(&plan, turn.step, 0, &mut rendered);
            seen.push((rendered.path.clone(), rendered.body.clone(), rendered.key));
            for _ in 0..retries {
                let pause = visit.pause_before_retry(&retry, None).as_secs_f64();
                assert!((0.1..=0.5).contains(&pause), "{pause}");
                let asked = visit.pause_before_retry(&retry, Some(Duration::from_mins(1)));
                assert!(
                    (2.1..=2.5).contains(&asked.as_secs_f64()),
                    "bounded: {asked:?}"
                );
            }
            let status = plan.steps()[turn.step].request.as_ref().unwrap().success[0];
            visit.conclude(&plan, turn, status, ok);
        }
        seen
    };
    for shopper in 0..200 {
        assert_eq!(bodies(0, shopper), bodies(2, shopper));
    }
    let pause = |shopper| {
        let mut visit = Visit::new();
        visit.begin(&plan, 5, shopper, true);
        visit.pause_before_retry(&retry, None)
    };
    assert_eq!(pause(1), pause(1));
    assert_ne!(pause(1), pause(2), "shoppers do not come back in step");
}

#[test]
fn the_funnel_is_walked_in_its_shares() {
    let plan = Plan::built_in("funnel", &[]).unwrap();
    for peak in [false, true] {
        for seed in [1, 2, 3] {
            let counts = step_counts(&plan, seed, peak);
            for (step, count) in plan.steps().iter().zip(&counts).skip(1) {
                let share = step.share(peak);
                let visits = SHOPPERS as f64;
                let error = 3.0 * (visits * share * (1.0 - share)).sqrt();
                let name = &step.name;
                assert!(
                    (count - visits * share).abs() <= error,
                    "{name}: {count}, seed {seed}"
                );
            }
            let requests = counts.iter().sum::<f64>() / SHOPPERS as f64;
            let expected = if peak { 2.77 } else { 2.30 };
            assert!(
                (requests - expected).abs() < 0.02,
                "{requests} requests a visit"
            );
        }
    }
}

/// The requests of a shopper, as they would be sent.
fn walk(plan: &Plan, seed: u64, shopper: u64) -> Vec<(usize, String, String, Option<[u8; 36]>)> {
    let mut visit = Visit::new();
    let mut rendered = RenderedRequest::default();
    let mut requests = Vec::new();
    visit.begin(plan, seed, shopper, true);
    while let Some(turn) = visit.turn(plan) {
        visit.render(plan, turn.step, 1_762_790_400_000, &mut rendered);
        requests.push((
            turn.step,
            String::from_utf8(rendered.path.clone()).unwrap(),
            String::from_utf8(rendered.body.clone()).unwrap(),
            rendered.key,
        ));
        let answer =
            br#"{"order_id":123,"total":398.10,"cart_id":"c","payment_id":"9","status":"x"}"#;
        let status = plan.steps()[turn.step].request.as_ref().unwrap().success[0];
        visit.conclude(plan, turn, status, answer);
    }
    requests
}

#[test]
fn choices_depend_on_seed_and_shopper_only() {
    let plan = Plan::built_in("funnel", &[]).unwrap();
    for shopper in 0..500 {
        assert_eq!(walk(&plan, 5, shopper), walk(&plan, 5, shopper));
    }
    let all = |seed| {
        (0..500)
            .map(|shopper| walk(&plan, seed, shopper))
            .collect::<Vec<_>>()
    };
    assert_ne!(all(5), all(6));
}

#[test]
fn requests_of_the_funnel_are_well_formed() {
    let plan = Plan::built_in("funnel", &[("products", 5_000.0)]).unwrap();
    let mut searches = std::collections::HashMap::<String, u32>::new();
    let (mut orders, mut payments) = (0, 0);
    for shopper in 0..20_000 {
        let mut cart = None;
        for (step, path, body, key) in walk(&plan, 1, shopper) {
            let step = &plan.steps()[step];
            match step.name.as_str() {
                "search" => *searches.entry(path).or_default() += 1,
                "view_detail" => {
                    let id: u32 = path
                        .strip_prefix("/api/products/")
                        .unwrap()
                        .parse()
                        .unwrap();
                    assert!((1..=5_000).contains(&id));
                }
                "add_cart" => {
                    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
                    assert!((1..=5_000).contains(&body["product_id"].as_i64().unwrap()));
                    assert!((1..=3).contains(&body["quantity"].as_i64().unwrap()));
                    cart = Some(body);
                }
                "checkout" => {
                    orders += 1;
                    let order: serde_json::Value = serde_json::from_str(&body).unwrap();
                    let cart = cart.as_ref().unwrap();
                    assert_eq!(order["items"][0]["product_id"], cart["product_id"]);
                    assert_eq!(order["items"][0]["quantity"], cart["quantity"]);
                    assert_eq!(order["user_id"], cart["user_id"]);
                    assert!(key.is_some() && !body.contains([' ', '\n']));
                }
                "payment" => {
                    payments += 1;
                    assert_eq!(body, r#"{"order_id":123,"amount":398.10}"#);
                    assert!(key.is_some());
                }
                _ => assert_eq!(path, "/api/products/random"),
            }
        }
    }
    assert!(orders > payments && payments > 0);
    // 手機 in percent-encoded UTF-8 is the first of a Zipf law over 1,400 queries, about 1 in 7.8.
    let phones = searches["/api/search?q=%E6%89%8B%E6%A9%9F"];
    assert!((1_350..1_750).contains(&phones), "{phones}");
    assert!(searches.len() > 700, "{} different queries", searches.len());
}

#[test]
fn orders_have_one_to_three_distinct_lines_and_time_ordered_keys() {
    let plan = Plan::built_in("orders", &[("products", 100_000.0)]).unwrap();
    let mut lines_seen = [0_u32; 4];
    let mut popular = 0_u32;
    for shopper in 0..30_000 {
        let [(_, path, body, Some(key))] = &walk(&plan, 1, shopper)[..] else {
            panic!("an order is one request with a key");
        };
        assert_eq!(path, "/api/orders");
        let order: serde_json::Value = serde_json::from_str(body).unwrap();
        let items = order["items"].as_array().unwrap();
        let mut products: Vec<u64> = items
            .iter()
            .map(|item| item["product_id"].as_u64().unwrap())
            .collect();
        lines_seen[items.len()] += 1;
        popular += u32::from(products.contains(&1));
        products.sort_unstable();
        products.dedup();
        assert_eq!(products.len(), items.len());
        assert!(products.iter().all(|id| (1..=100_000).contains(id)));
        let key = std::str::from_utf8(key).unwrap();
        let id = uuid::Uuid::parse_str(key).unwrap();
        assert_eq!(id.get_version_num(), 7);
        assert_eq!(id.get_timestamp().unwrap().to_unix().0, 1_762_790_400);
    }
    assert_eq!(lines_seen[0], 0);
    for count in &lines_seen[1..] {
        assert!((9_700..10_300).contains(count), "{lines_seen:?}");
    }
    // Rank 1 of 100,000 has 1/12.09 of the draws; two lines an order on average.
    assert!((4_400..5_100).contains(&popular), "{popular}");
}

#[test]
fn an_array_closes_when_there_are_no_more_distinct_values() {
    let plan = Plan::built_in("orders", &[("products", 2.0)]).unwrap();
    for shopper in 0..200 {
        let order: serde_json::Value = serde_json::from_str(&walk(&plan, 1, shopper)[0].2).unwrap();
        assert!((1..=2).contains(&order["items"].as_array().unwrap().len()));
    }
}

/// The outcome of step `name` when it is answered so, and the steps made after it.
fn answered(plan: &Plan, name: &str, status: u16, body: &[u8]) -> (Outcome, Vec<String>) {
    let mut visit = Visit::new();
    for shopper in 0.. {
        visit.begin(plan, 1, shopper, true);
        let mut result = None;
        while let Some(turn) = visit.turn(plan) {
            let step = &plan.steps()[turn.step];
            let ok = br#"{"order_id":1,"total":9.90,"cart_id":"1","payment_id":"1","status":"x"}"#;
            match &mut result {
                Some((_, after)) => {
                    Vec::push(after, step.name.clone());
                    visit.conclude(plan, turn, 201, ok);
                }
                None if step.name == name => {
                    let outcome = visit.conclude(plan, turn, status, body).outcome;
                    result = Some((outcome, Vec::new()));
                }
                None => {
                    visit.conclude(plan, turn, step.request.as_ref().unwrap().success[0], ok);
                }
            }
        }
        // Only a shopper that would have gone all the way tells anything.
        if plan.steps().len() > 1 && steps_chosen(plan, shopper) == plan.steps().len() {
            return result.unwrap();
        }
    }
    unreachable!()
}

fn steps_chosen(plan: &Plan, shopper: u64) -> usize {
    let mut visit = Visit::new();
    visit.begin(plan, 1, shopper, true);
    visit.chosen.count_ones() as usize
}

#[test]
fn a_failure_ends_the_visit_and_a_refusal_goes_no_deeper() {
    let plan = Plan::built_in("funnel", &[]).unwrap();
    let sold_out = br#"{"type":"about:blank","code":"sold_out"}"#;
    let none: Vec<String> = Vec::new();
    let failed = |kind| (Outcome::Failed(kind), none.clone());
    assert_eq!(answered(&plan, "browse", 503, b""), failed(Failure::Status));
    assert_eq!(
        answered(&plan, "checkout", 500, b"oops"),
        failed(Failure::Status)
    );
    assert_eq!(
        answered(&plan, "checkout", 409, sold_out),
        (Outcome::ExpectedRefusal, none.clone())
    );
    assert_eq!(
        answered(&plan, "checkout", 409, br#"{"code":"total_changed"}"#),
        failed(Failure::Status)
    );
    assert_eq!(
        answered(&plan, "checkout", 201, br#"{"order_id":"1"}"#),
        failed(Failure::Extraction)
    );
    assert_eq!(
        answered(&plan, "payment", 409, br#"{"code":"order_closed"}"#),
        failed(Failure::Status)
    );
}

#[test]
fn a_delayed_payment_may_meet_a_closed_order() {
    let plan = Plan::built_in("funnel", &[("delayed_payments", 0.02)]).unwrap();
    let ok = br#"{"order_id":1,"total":9.90,"cart_id":"1","payment_id":"1","status":"x"}"#;
    let (mut payments, mut delayed) = (0.0, 0.0);
    let mut visit = Visit::new();
    for shopper in 0..SHOPPERS {
        visit.begin(&plan, 1, shopper, true);
        while let Some(turn) = visit.turn(&plan) {
            let step = &plan.steps()[turn.step];
            if step.name != "payment" {
                assert_eq!(turn.pause, Duration::ZERO);
                visit.conclude(&plan, turn, step.request.as_ref().unwrap().success[0], ok);
                continue;
            }
            payments += 1.0;
            let answer = visit.conclude(&plan, turn, 409, br#"{"code":"order_closed"}"#);
            if turn.delayed {
                delayed += 1.0;
                assert!((19.0..=21.0).contains(&turn.pause.as_secs_f64()));
                assert_eq!(answer.outcome, Outcome::ExpectedRefusal);
                assert_eq!(answer.code.as_deref(), Some("order_closed"));
            } else {
                assert_eq!(answer.outcome, Outcome::Failed(Failure::Status));
            }
        }
    }
    let error = 3.0 * f64::sqrt(payments * 0.02 * 0.98);
    assert!(
        (delayed - 0.02 * payments).abs() <= error,
        "{delayed} of {payments}"
    );
}

#[test]
fn bodies_are_read_where_their_content_matters() {
    let plan = Plan::built_in("funnel", &[]).unwrap();
    for step in plan.requesting_steps() {
        let request = step.request.as_ref().unwrap();
        let is_write = request
            .write
            .is_some_and(|write| matches!(write, Write::Order | Write::Payment | Write::Cart));
        assert_eq!(needs_body(request), is_write, "{}", step.name);
    }
}

#[test]
fn values_are_written_by_their_place() {
    let text = r#"
format = 1
name = "places"
[data.word]
kind = "list"
values = ["手 \"機\""]
[[step]]
name = "a"
weight = 1
[step.request]
method = "POST"
path = "/${shopper}?q=${word}"
body = '{"n": ${shopper}, "t": "${shopper}", "w": ${word}, "x": "[${word}]"}'
success = [200]
extract = { id = "/id", sum = "/sum" }
[[step]]
name = "b"
weight = 1
within = "a"
[step.request]
method = "POST"
path = "/${id}"
body = '[${id}, "${id}", ${sum}]'
success = [200]
"#;
    let plan = Plan::parse("p", text, &[]).unwrap();
    let mut visit = Visit::new();
    let mut rendered = RenderedRequest::default();
    visit.begin(&plan, 1, 7, false);
    let turn = visit.turn(&plan).unwrap();
    visit.render(&plan, turn.step, 0, &mut rendered);
    assert_eq!(rendered.path, b"/7?q=%E6%89%8B%20%22%E6%A9%9F%22");
    let body = std::str::from_utf8(&rendered.body).unwrap();
    assert_eq!(body, r#"{"n":7,"t":"7","w":"手 \"機\"","x":"[手 \"機\"]"}"#);
    assert_eq!(rendered.key, None);
    visit.conclude(&plan, turn, 200, br#"{"id":"a/b","sum":[1,2]}"#);
    let turn = visit.turn(&plan).unwrap();
    visit.render(&plan, turn.step, 0, &mut rendered);
    assert_eq!(rendered.path, b"/a%2Fb");
    assert_eq!(rendered.body, br#"["a/b","a/b",[1,2]]"#);
    assert_eq!(visit.turn(&plan), None);
}
