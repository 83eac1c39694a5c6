//! The dashboard of requirements 4.1 and the four pictures of 7.2: before and after, side by side.

use super::{Head, dashboard};
use crate::Language;
use crate::grid::Grid;
use crate::model::{Dashboard, Panel};
use crate::panels::{heatmap, stat, time_series};
use crate::query::Side;

/// Which side a series of a comparison belongs to, as its legend says.
const fn side(language: Language, side: Side) -> &'static str {
    match side {
        Side::Baseline => language.pick("before", "優化前"),
        Side::Optimized | Side::Chosen => language.pick("after", "優化後"),
    }
}

/// Limits of the error rate, in per cent.
const ERROR_LIMITS: [(&str, Option<u32>); 3] =
    [("green", None), ("yellow", Some(1)), ("red", Some(5))];

pub(crate) fn comparison(language: Language) -> Dashboard {
    let head = Head {
        name: "comparison",
        title: language.pick(
            "E-commerce performance - before and after optimisation",
            "電商系統性能監控 - 優化前後對比",
        ),
        description: language.pick(
            "The baseline shop (before) beside the optimised one (after). The two do not run at the \
             same time: say in \"Baseline ran earlier by\" how far apart their runs were.",
            "優化前（baseline）與優化後（optimized）的商店並列。兩者不會同時執行：請在「優化前提早」填入兩次執行\
             相隔的時間。",
        ),
        both_variants: true,
    };
    let mut grid = Grid::default();
    grid.heading(language.pick("Core performance", "核心性能"));
    grid.add((12, 10), tps(language));
    grid.add((12, 10), quantiles(language));
    grid.add((8, 9), order_errors(language));
    grid.add((16, 9), resources(language));
    grid.heading(language.pick("The four pictures", "四張重點圖"));
    grid.add((8, 9), peak(language));
    grid.add((8, 9), error_trend(language));
    grid.add((8, 9), cpu_of_a_transaction(language));
    for which in Side::BOTH {
        grid.add((12, 10), heat(language, which));
    }
    grid.heading(language.pick("Orders", "訂單"));
    grid.add((12, 9), orders(language));
    grid.add((12, 9), lost_orders(language));
    dashboard(language, &head, grid)
}

/// One query for each side, the baseline first.
fn both(panel: Panel, query: impl Fn(Side) -> String, legend: impl Fn(Side) -> String) -> Panel {
    Side::BOTH
        .into_iter()
        .fold(panel, |panel, side| panel.query(query(side), &legend(side)))
        .compared()
}

fn tps(language: Language) -> Panel {
    let title = language.pick("TPS (before and after)", "TPS 對比 (優化前後)");
    let legend = |which| match language {
        Language::En => format!("TPS {}", side(language, which)),
        Language::ZhTw => format!("{} TPS", side(language, which)),
    };
    let panel = time_series(title, "reqps").axis("Transactions/sec").about(language.pick(
        "Transactions per second: requests of the API that succeeded, and orders refused because the \
         product is sold out. Requests that failed or were shed are none. The dashed line is the \
         500 TPS that the optimised shop is to reach.",
        "每秒交易數：成功的 API 請求，加上因售罄而婉拒的訂單；失敗或被卸載的請求不算。虛線是優化後要達到的 \
         500 TPS。",
    ));
    both(panel, Side::transactions, legend).limits(&[("transparent", None), ("green", Some(500))])
}

fn quantiles(language: Language) -> Panel {
    let title = language.pick("Response time (P95, P99)", "響應時間分布 (P95, P99)");
    let panel = time_series(title, "s").about(language.pick(
        "95 and 99 of 100 requests took at most this long, from the shop's histogram. Requests that \
         failed are left out, so that failing fast does not look fast: see the error rate. Within a \
         bucket the value is interpolated.",
        "95% 與 99% 的請求在此時間內完成，取自商店的直方圖。失敗的請求不計入，以免「失敗得快」看起來像「回應得快」，\
         請搭配錯誤率。區間內的數值為內插。",
    ));
    let quantiles = [("P95", "0.95"), ("P99", "0.99")];
    Side::BOTH
        .into_iter()
        .flat_map(|side| quantiles.map(|quantile| (side, quantile)))
        .fold(panel, |panel, (which, (name, quantile))| {
            let legend = format!("{name} {}", side(language, which));
            panel.query(which.request_quantile(quantile), &legend)
        })
        .compared()
}

fn order_errors(language: Language) -> Panel {
    let panel = stat(language.pick("Error rate", "錯誤率監控"), "percent")
        .bare()
        .decimals(2)
        .limits(&ERROR_LIMITS)
        .about(language.pick(
            "Orders that failed or were shed, of all orders that were tried, over the whole span that \
             is shown. Sold out is a correct answer and no error.",
            "在所選時間範圍內，失敗或被卸載的訂單占所有下單嘗試的比例。售罄是正確的回答，不算錯誤。",
        ));
    Side::BOTH.into_iter().fold(panel, |panel, which| {
        panel.instant(which.order_error_percentage(), side(language, which))
    })
}

fn resources(language: Language) -> Panel {
    let title = language.pick("System resource usage", "系統資源使用率");
    let panel = time_series(title, "percent")
        .axis(language.pick("CPU, 100% = one core", "CPU，100% = 一個核心"))
        .about(language.pick(
            "Processor time of the shop's process, where 100% is one core, and the memory it occupies. \
             A process has no limit to divide by; usage as a share of a container's limit is on the \
             dashboard of dependencies and resources.",
            "商店行程的 CPU 時間（100% 為一個核心）與占用的記憶體。行程本身沒有上限可除；容器的用量占上限比例，\
             請見「依賴與資源」儀表板。",
        ));
    let (cpu, memory) = match language {
        Language::En => ("CPU usage", "Memory usage"),
        Language::ZhTw => ("CPU使用率", "記憶體使用率"),
    };
    let panel = Side::BOTH.into_iter().fold(panel, |panel, which| {
        let name = side(language, which);
        panel
            .query(which.cpu_percentage(), &format!("{cpu} - {name}"))
            .query(which.memory(), &format!("{memory} - {name}"))
    });
    panel.compared().on_the_right(
        "/記憶體|Memory/",
        "bytes",
        language.pick("Memory", "記憶體"),
    )
}

fn peak(language: Language) -> Panel {
    let panel = stat(language.pick("Peak TPS", "TPS 峰值對比圖"), "reqps")
        .peak()
        .decimals(0)
        .about(language.pick(
            "The highest TPS of each variant within the span that is shown, with its course behind it.",
            "各變體在所選時間範圍內的最高 TPS，背景為其走勢。",
        ));
    both(panel, Side::transactions, |which| {
        side(language, which).to_owned()
    })
}

fn error_trend(language: Language) -> Panel {
    let title = language.pick("Error rate over time", "錯誤率趨勢圖");
    let panel = time_series(title, "percent")
        .limits(&ERROR_LIMITS)
        .about(language.pick(
            "Requests answered with 5xx, shed ones among them, of all requests of the API.",
            "以 5xx 回應的 API 請求（含被卸載的請求）占所有 API 請求的比例。",
        ));
    both(panel, Side::error_percentage, |which| {
        side(language, which).to_owned()
    })
}

fn cpu_of_a_transaction(language: Language) -> Panel {
    let title = language.pick("Resources of a transaction", "資源使用率圖");
    let panel = time_series(title, "s").about(language.pick(
        "Processor time that the shop spent for each transaction: the same work for less is efficiency, \
         whatever the load is.",
        "商店完成每筆交易所花的 CPU 時間：同樣的工作花得更少就是效率，與負載高低無關。",
    ));
    both(panel, Side::cpu_of_a_transaction, |which| {
        let name = side(language, which);
        match language {
            Language::En => format!("CPU time per transaction {name}"),
            Language::ZhTw => format!("每筆交易 CPU 時間 {name}"),
        }
    })
}

fn heat(language: Language, which: Side) -> Panel {
    let title = match language {
        Language::En => format!("Response time heatmap ({})", side(language, which)),
        Language::ZhTw => format!("響應時間熱力圖 ({})", side(language, which)),
    };
    heatmap(&title)
        .about(language.pick(
            "How many requests took how long: each column is a moment, each row a bucket of the shop's \
             histogram named by its upper end. Requests that failed are left out.",
            "各時刻請求耗時的分布：每一欄是一個時刻，每一列是直方圖的一個區間，以其上界標示。失敗的請求不計入。",
        ))
        .query(which.request_heatmap(), "{{le}}")
}

fn orders(language: Language) -> Panel {
    let title = language.pick(
        "Orders per second (before and after)",
        "每秒成功訂單 (優化前後)",
    );
    let panel = time_series(title, "reqps").about(language.pick(
        "Orders that were confirmed, per second.",
        "每秒成立的訂單數。",
    ));
    let query = |which: Side| {
        let rate = which.rate("ecommerce_orders_total", r#"status="success""#);
        format!("sum({rate})")
    };
    both(panel, query, |which| side(language, which).to_owned())
}

fn lost_orders(language: Language) -> Panel {
    let title = language.pick("Orders failed and shed", "失敗與被卸載的訂單");
    let panel = time_series(title, "reqps").about(language.pick(
        "Orders per second that failed by a fault, and those that the shop refused at once to protect \
         itself.",
        "每秒因故障而失敗的訂單，以及商店為自我保護而立即卸載的訂單。",
    ));
    let outcomes = [
        ("failed", language.pick("failed", "失敗")),
        ("shed", language.pick("shed", "被卸載")),
    ];
    Side::BOTH
        .into_iter()
        .flat_map(|side| outcomes.map(|outcome| (side, outcome)))
        .fold(panel, |panel, (which, (status, word))| {
            let matcher = format!(r#"status="{status}""#);
            let rate = which.rate("ecommerce_orders_total", &matcher);
            panel.query(
                format!("sum({rate})"),
                &format!("{word} {}", side(language, which)),
            )
        })
        .compared()
        .dashed("/被卸載|shed/")
}
