//! The shop as a service: rate, errors, duration.

use super::{Head, dashboard};
use crate::Language;
use crate::grid::Grid;
use crate::model::{Dashboard, Panel};
use crate::panels::{heatmap, stat, table, time_series};
use crate::query::{ANSWERED, FAILED, REQUEST_BUCKET, REQUEST_COUNT, REQUESTS, Side};

const SHOP: Side = Side::Chosen;

/// What percentage of answered requests is to be within 200 ms, and from where on it is bad.
const WITHIN_LIMITS: [(&str, Option<u32>); 3] =
    [("red", None), ("yellow", Some(95)), ("green", Some(99))];
const ERROR_LIMITS: [(&str, Option<u32>); 3] =
    [("green", None), ("yellow", Some(1)), ("red", Some(5))];

pub(crate) fn service(language: Language) -> Dashboard {
    let head = Head {
        name: "service",
        title: language.pick("Service: rate, errors, duration", "服務：流量、錯誤、延遲"),
        description: language.pick(
            "What one variant of the shop is asked, how much of it fails, and how long it takes.",
            "單一變體的商店收到多少請求、有多少失敗、花多少時間。",
        ),
        both_variants: false,
    };
    let mut grid = Grid::default();
    grid.heading(language.pick("At a glance", "概況"));
    grid.add((5, 5), throughput(language));
    grid.add((5, 5), errors(language));
    grid.add((5, 5), p95(language));
    grid.add((5, 5), within(language));
    grid.add((4, 5), instances(language));
    grid.heading(language.pick("Rate", "流量"));
    grid.add((12, 9), rate_by_route(language));
    grid.add((12, 9), rate_by_status(language));
    grid.heading(language.pick("Errors", "錯誤"));
    grid.add((8, 9), error_trend(language));
    grid.add((8, 9), errors_by_route(language));
    grid.add((8, 9), shed(language));
    grid.heading(language.pick("Duration", "延遲"));
    grid.add((12, 9), quantiles(language));
    grid.add((12, 9), p95_by_route(language));
    grid.add((12, 10), heat(language));
    grid.add((12, 10), order_creation(language));
    grid.heading(language.pick("What is running", "執行中的程式"));
    grid.add((24, 6), builds(language));
    dashboard(language, &head, grid)
}

fn throughput(language: Language) -> Panel {
    stat("TPS", "reqps")
        .decimals(1)
        .about(language.pick(
            "Transactions per second: requests that succeeded, and orders refused as sold out.",
            "每秒交易數：成功的請求，加上因售罄而婉拒的訂單。",
        ))
        .query(SHOP.transactions(), "TPS")
}

fn errors(language: Language) -> Panel {
    stat(language.pick("Error rate now", "目前錯誤率"), "percent")
        .decimals(2)
        .limits(&ERROR_LIMITS)
        .about(language.pick(
            "Requests answered with 5xx, shed ones among them, of all requests of the API.",
            "以 5xx 回應的 API 請求（含被卸載的請求）占所有 API 請求的比例。",
        ))
        .query(SHOP.error_percentage(), language.pick("errors", "錯誤"))
}

fn p95(language: Language) -> Panel {
    stat(language.pick("P95 now", "目前 P95"), "s")
        .about(language.pick(
            "95 of 100 answered requests took at most this long.",
            "95% 有回應的請求在此時間內完成。",
        ))
        .query(SHOP.request_quantile("0.95"), "P95")
}

fn within(language: Language) -> Panel {
    // Prometheus 3 writes the bound of an integer differently; 0.2 is the same in every version.
    let quick = SHOP.rate(REQUEST_BUCKET, &format!(r#"{ANSWERED},le="0.2""#));
    let all = SHOP.rate(REQUEST_COUNT, ANSWERED);
    stat(language.pick("Within 200 ms", "200 ms 內完成"), "percent")
        .decimals(2)
        .limits(&WITHIN_LIMITS)
        .about(language.pick(
            "Answered requests that took at most 200 ms: the objective of latency is 99.9% over 30 days.",
            "在 200 ms 內完成的請求比例；延遲目標為 30 天內 99.9%。",
        ))
        .query(
            format!("100 * sum({quick}) / (sum({all}) > 0)"),
            language.pick("within 200 ms", "200 ms 內"),
        )
}

fn instances(language: Language) -> Panel {
    stat(language.pick("Instances up", "運作中的執行個體"), "short")
        .bare()
        .limits(&[("red", None), ("green", Some(1))])
        .about(language.pick(
            "Instances that answered the last scrape.",
            "最近一次抓取有回應的執行個體數。",
        ))
        .instant(
            format!("sum({})", SHOP.now("up")),
            language.pick("up", "運作中"),
        )
}

fn rate_by_route(language: Language) -> Panel {
    let rate = SHOP.rate(REQUEST_COUNT, REQUESTS);
    time_series(language.pick("Requests by route", "各路徑請求"), "reqps")
        .stacked()
        .about(language.pick(
            "Requests per second by route, whatever became of them.",
            "每秒請求數，依路徑；不論結果。",
        ))
        .query(
            format!("sum by (method, endpoint) ({rate})"),
            "{{method}} {{endpoint}}",
        )
}

fn rate_by_status(language: Language) -> Panel {
    let rate = SHOP.rate(REQUEST_COUNT, "");
    time_series(language.pick("Requests by status", "各狀態碼請求"), "reqps")
        .stacked()
        .about(language.pick(
            "Requests per second by status, those that no route answers among them. 402 is a declined \
             payment, 409 mostly a sold-out or closed order, 503 mostly a shed request.",
            "每秒請求數，依狀態碼，包含沒有對應路徑的請求。402 為支付遭拒，409 多為售罄或訂單已關閉，\
             503 多為被卸載的請求。",
        ))
        .query(format!("sum by (status) ({rate}) > 0"), "{{status}}")
}

fn error_trend(language: Language) -> Panel {
    time_series(language.pick("Error rate", "錯誤率"), "percent")
        .limits(&ERROR_LIMITS)
        .about(language.pick(
            "Requests answered with 5xx, and orders that failed or were shed, each as a share of all.",
            "以 5xx 回應的請求，以及失敗或被卸載的訂單，各占總數的比例。",
        ))
        .query(SHOP.error_percentage(), language.pick("requests", "請求"))
        .query(
            SHOP.order_error_trend(),
            language.pick("orders", "訂單"),
        )
}

fn errors_by_route(language: Language) -> Panel {
    let failed = SHOP.rate(REQUEST_COUNT, FAILED);
    time_series(language.pick("Failures by route", "各路徑失敗"), "reqps")
        .stacked()
        .about(language.pick(
            "Requests per second answered with 5xx, by route.",
            "每秒以 5xx 回應的請求數，依路徑。",
        ))
        .query(
            format!("sum by (method, endpoint) ({failed})"),
            "{{method}} {{endpoint}}",
        )
}

fn shed(language: Language) -> Panel {
    let rate = SHOP.rate("ecommerce_requests_shed_total", "");
    time_series(
        language.pick("Shed by class", "各類別被卸載的請求"),
        "reqps",
    )
    .stacked()
    .about(language.pick(
        "Requests per second that were refused at once to protect the shop. Under overload \
             browsing goes first and payments last.",
        "每秒為保護商店而立即卸載的請求。過載時最先卸載瀏覽，最後才卸載支付。",
    ))
    .query(format!("sum by (class) ({rate})"), "{{class}}")
}

fn quantiles(language: Language) -> Panel {
    let panel = time_series(language.pick("Response time", "響應時間"), "s").about(language.pick(
        "Of answered requests. Requests that failed are left out, so that failing fast does not look \
         fast. Within a bucket of the histogram the value is interpolated.",
        "只計有回應的請求；失敗的請求不計入，以免「失敗得快」看起來像「回應得快」。直方圖區間內的數值為內插。",
    ));
    [("P50", "0.5"), ("P95", "0.95"), ("P99", "0.99")]
        .into_iter()
        .fold(panel, |panel, (name, quantile)| {
            panel.query(SHOP.request_quantile(quantile), name)
        })
}

fn p95_by_route(language: Language) -> Panel {
    let buckets = SHOP.rate(REQUEST_BUCKET, ANSWERED);
    time_series(language.pick("P95 by route", "各路徑 P95"), "s")
        .about(language.pick(
            "95 of 100 answered requests of a route took at most this long.",
            "各路徑 95% 有回應的請求在此時間內完成。",
        ))
        .query(
            format!("histogram_quantile(0.95, sum by (le, method, endpoint) ({buckets}))"),
            "{{method}} {{endpoint}}",
        )
}

fn heat(language: Language) -> Panel {
    heatmap(language.pick("Response time heatmap", "響應時間熱力圖"))
        .about(language.pick(
            "How many requests took how long: each column is a moment, each row a bucket named by its \
             upper end.",
            "各時刻請求耗時的分布：每一欄是一個時刻，每一列是一個區間，以其上界標示。",
        ))
        .query(SHOP.request_heatmap(), "{{le}}")
}

fn order_creation(language: Language) -> Panel {
    let panel = time_series(language.pick("Order creation time", "訂單建立時間"), "s")
        .about(language.pick(
        "How long the shop needs to place an order, from the parsed request to the durable commit.",
        "商店建立訂單所需時間，從解析請求到資料確實寫入。",
    ));
    let buckets = SHOP.rate("ecommerce_order_creation_time_seconds_bucket", "");
    [("P50", "0.5"), ("P95", "0.95"), ("P99", "0.99")]
        .into_iter()
        .fold(panel, |panel, (name, quantile)| {
            let expr = format!("histogram_quantile({quantile}, sum by (le) ({buckets}))");
            panel.query(expr, name)
        })
}

fn builds(language: Language) -> Panel {
    table(language.pick("Builds", "程式版本"), "none")
        .about(language.pick(
            "Version and optimisations of each running instance.",
            "各執行個體的程式版本與啟用的優化項。",
        ))
        .query(
            format!(
                "max by (instance, variant, version, levers) ({})",
                SHOP.gauge("ecommerce_build_info")
            ),
            "{{instance}}",
        )
        .columns(&[
            ("instance", language.pick("Instance", "執行個體")),
            ("variant", language.pick("Variant", "變體")),
            ("version", language.pick("Program", "程式版本")),
            ("levers", language.pick("Optimisations", "優化項")),
        ])
        .without("Value")
}
