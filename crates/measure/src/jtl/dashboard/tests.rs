use super::*;

fn dashboard(rows: &str, options: DashboardOptions) -> Dashboard {
    let file = format!(
        "timeStamp,elapsed,label,responseCode,responseMessage,success,failureMessage,bytes,sentBytes,\
         allThreads\n{rows}"
    );
    Dashboard::read(file.as_bytes(), options, Limits::default()).unwrap()
}

#[test]
fn figures_are_those_of_jmeters_definitions() {
    let rows = "1000,100,a,200,OK,true,,1024,512,1\n\
                1500,600,a,200,OK,true,,1024,512,2\n\
                2000,2000,a,500,Broken,false,,1024,512,2\n\
                2000,1000,b,200,OK,false,said no,0,0,2\n\
                1000,3000,all,200,\"Number of samples in transaction : 4, number of failing samples : 2\",\
                false,,9,9,2\n\
                1000,0,none,,\"Number of samples in transaction : 0, number of failing samples : 0\",\
                true,,9,9,2\n";
    let board = dashboard(rows, DashboardOptions::default());
    let [a, b, all] = &board.labels[..] else {
        panic!("{:?}", board.labels);
    };
    assert_eq!(
        (a.samples, a.errors, a.min_ms, a.max_ms),
        (3, 1, 100, 2_000)
    );
    assert!((a.mean_ms - 900.0).abs() < 1e-9);
    assert!(
        (a.per_second - 1.0).abs() < 1e-9,
        "3 samples from 1 s to 4 s"
    );
    assert!((a.received_kib_per_second - 1.0).abs() < 1e-9);
    assert!((a.sent_kib_per_second - 0.5).abs() < 1e-9);
    assert!(
        (a.apdex - 0.5).abs() < 1e-9,
        "one satisfied, one tolerated of three"
    );
    assert!((b.apdex - 0.0).abs() < 1e-9, "a failure satisfies nobody");
    assert!(all.is_transaction);
    assert_eq!((board.total.samples, board.total.errors), (4, 2));
    assert!(
        (board.total.apdex - 1.5 / 5.0).abs() < 1e-9,
        "with the transaction"
    );
    assert_eq!((board.start_ms, board.end_ms), (1_000, 4_000));
    let kinds: Vec<_> = board
        .errors
        .iter()
        .map(|one| (one.kind.as_str(), one.count))
        .collect();
    assert_eq!(kinds, [("500/Broken", 1), ("said no", 1)]);
    assert!((board.errors[0].share_of_samples - 0.25).abs() < 1e-9);
    assert_eq!(board.sampler_errors[0].top, [("500/Broken".to_owned(), 1)]);
}

#[test]
fn jmeters_window_forgets_what_the_whole_run_remembers() {
    // A hundred slow samples, then ten quick ones, with a window of ten.
    let slow = (0..100).map(|n| format!("{n},1000,a,200,OK,true,,0,0,1\n"));
    let quick = (100..110).map(|n| format!("{n},{},a,200,OK,true,,0,0,1\n", n - 99));
    let rows: String = slow.chain(quick).collect();
    let options = DashboardOptions {
        window: Some(10),
        ..DashboardOptions::default()
    };
    let board = dashboard(&rows, options);
    let a = &board.labels[0];
    assert_eq!(a.full_run.median_ms, 1_000);
    assert_eq!(a.full_run.others_ms, [1_000; 3]);
    // Ranks 5.5, 9.9, 10.45 and 10.89 of 1 to 10.
    assert!((a.window.median_ms - 5.5).abs() < 1e-9);
    assert!((a.window.others_ms[0] - 9.9).abs() < 1e-9);
    assert!((a.window.others_ms[2] - 10.0).abs() < 1e-9);
    assert_eq!(a.window.forgotten, 100);
}

#[test]
fn a_long_run_is_drawn_in_wider_stretches() {
    let rows: Vec<String> = (0..2_000)
        .map(|second| format!("{},1,a,200,OK,true,,0,0,1\n", second * 1_000))
        .collect();
    let board = dashboard(&rows.concat(), DashboardOptions::default());
    assert_eq!(board.interval_s, 4);
    assert_eq!(board.intervals.len(), 500);
    let samples: u64 = board.intervals.iter().map(|one| one.samples).sum();
    assert_eq!(samples, 2_000);
}

#[test]
fn two_samples_years_apart_make_no_endless_row_of_empty_stretches() {
    let board = dashboard(
        "0,1,a,200,OK,true,,0,0,1\n1700000000000,1,a,200,OK,true,,0,0,1\n",
        DashboardOptions::default(),
    );
    assert!(board.intervals.len() <= 900);
}

#[test]
fn a_row_with_a_problem_is_left_out_and_told() {
    let board = dashboard(
        "0,x,a,200,OK,true,,0,0,1\n0,1,a,200,OK,true,,0,0,1\n",
        DashboardOptions::default(),
    );
    assert_eq!((board.total.samples, board.problem_count), (1, 1));
    assert!(board.problems[0].starts_with("line 2, column `elapsed`"));
}

#[test]
fn an_empty_file_has_figures_of_nothing() {
    let board = dashboard("", DashboardOptions::default());
    assert_eq!((board.total.samples, board.labels.len()), (0, 0));
    assert!(board.intervals.is_empty());
}
