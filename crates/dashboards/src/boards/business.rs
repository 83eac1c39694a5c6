//! The dashboard of requirements 4.2: what the shop sells.

use super::{Head, dashboard};
use crate::Language;
use crate::grid::Grid;
use crate::model::{Dashboard, Mapping, Panel};
use crate::panels::{gauge, stat, table, time_series};
use crate::query::{RANGE, REQUEST_COUNT, SUCCEEDED, Side};

const SHOP: Side = Side::Chosen;

pub(crate) fn business(language: Language) -> Dashboard {
    let head = Head {
        name: "business",
        title: language.pick("E-commerce business figures", "電商業務指標監控"),
        description: language.pick(
            "Orders, payments, carts and stock of one variant of the shop.",
            "單一變體商店的訂單、支付、購物車與庫存。",
        ),
        both_variants: false,
    };
    let mut grid = Grid::default();
    grid.heading(language.pick("Now", "即時"));
    grid.add((8, 8), payments_per_minute(language));
    grid.add((8, 8), conversion(language));
    grid.add((4, 4), active_users(language));
    grid.add((4, 4), cart_value(language));
    grid.add((4, 4), sale(language));
    grid.add((4, 4), oversold(language));
    grid.heading(language.pick("Orders and payments", "訂單與支付"));
    grid.add((12, 9), orders(language));
    grid.add((12, 9), payments(language));
    grid.add((12, 9), methods(language));
    grid.add((12, 9), replays(language));
    grid.heading(language.pick("Carts and stock", "購物車與庫存"));
    grid.add((8, 9), carts(language));
    grid.add((8, 9), reserved(language));
    grid.add((8, 9), funnel(language));
    dashboard(language, &head, grid)
}

/// A unit for what happens per minute.
const fn per_minute(language: Language) -> &'static str {
    language.pick("suffix:/min", "suffix:/分鐘")
}

/// What a counter gains per minute, by a label.
fn by_label_per_minute(metric: &str, label: &str) -> String {
    format!("60 * sum by ({label}) ({})", SHOP.rate(metric, ""))
}

fn payments_per_minute(language: Language) -> Panel {
    let rate = SHOP.rate("ecommerce_payments_total", r#"status="success""#);
    stat(
        language.pick("Transactions now", "實時交易狀況"),
        per_minute(language),
    )
    .bare()
    .decimals(0)
    .limits(&[("red", Some(0)), ("yellow", Some(10)), ("green", Some(50))])
    .about(language.pick(
        "Payments captured per minute. Red below 10, yellow below 50.",
        "每分鐘成功支付的筆數。低於 10 為紅色，低於 50 為黃色。",
    ))
    .instant(
        format!("60 * sum({rate})"),
        language.pick("Successful payments/minute", "成功支付/分鐘"),
    )
}

fn conversion(language: Language) -> Panel {
    let converted = SHOP.increase("ecommerce_carts_converted_total", "", RANGE);
    let created = SHOP.increase("ecommerce_carts_created_total", "", RANGE);
    gauge(language.pick("Cart conversion", "購物車轉換率"))
        .limits(&[("blue", None)])
        .decimals(1)
        .about(language.pick(
            "Carts that became an order, of the carts made, over the whole span that is shown. Not \
             orders divided by additions to carts: a cart takes several additions, and an order needs \
             no cart.",
            "在所選時間範圍內，轉為訂單的購物車占所建立購物車的比例。不用訂單數除以加入購物車次數：一個購物車可加入\
             多件，下單也不一定經過購物車。",
        ))
        .instant(
            format!("100 * sum({converted}) / (sum({created}) > 0)"),
            language.pick("Carts ordered", "轉為訂單"),
        )
}

fn active_users(language: Language) -> Panel {
    stat(language.pick("Active users", "活躍用戶"), "short")
        .bare()
        .about(language.pick(
            "Distinct users and carts seen in the last five minutes, refreshed every 30 seconds. The \
             highest of all instances, because they may share what they count.",
            "最近五分鐘內出現的不重複用戶與購物車，每 30 秒更新。取各執行個體的最大值，因為它們可能共用同一份計數。",
        ))
        .instant(
            format!("max({})", SHOP.now("ecommerce_active_users")),
            language.pick("users", "人"),
        )
}

fn cart_value(language: Language) -> Panel {
    stat(
        language.pick("Average cart value", "平均購物車金額"),
        "currencyCNY",
    )
    .bare()
    .decimals(2)
    .about(language.pick(
        "Mean value of the open carts, refreshed every 30 seconds. An average cannot be added up: \
             with several instances this is the highest of them.",
        "未結帳購物車的平均金額，每 30 秒更新。平均值不能相加：有多個執行個體時取最大者。",
    ))
    .instant(
        format!("max({})", SHOP.now("ecommerce_avg_cart_value")),
        language.pick("a cart", "每車"),
    )
}

fn sale(language: Language) -> Panel {
    let word = |value, english, chinese, color| Mapping {
        value,
        text: language.pick(english, chinese),
        color,
    };
    stat(language.pick("Sale", "促銷"), "short")
        .bare()
        .words(vec![
            word("0", "off", "未進行", "text"),
            word("1", "on", "進行中", "green"),
        ])
        .about(language.pick(
            "Whether the shop says that a sale is on (`serve --sale`). Only then does the alert on low \
             TPS watch.",
            "商店是否標示促銷進行中（`serve --sale`）。TPS 過低的告警只在促銷期間生效。",
        ))
        .instant(
            format!("max({})", SHOP.now("ecommerce_sale_active")),
            language.pick("sale", "促銷"),
        )
}

fn oversold(language: Language) -> Panel {
    stat(language.pick("Oversold products", "超賣商品"), "short")
        .bare()
        .limits(&[("green", None), ("red", Some(1))])
        .about(language.pick(
            "Products whose stock does not add up. Must be 0, always.",
            "庫存對不起來的商品數，任何時候都必須是 0。",
        ))
        .instant(
            format!("max({})", SHOP.now("ecommerce_oversold_products")),
            language.pick("products", "項商品"),
        )
}

fn orders(language: Language) -> Panel {
    time_series(
        language.pick("Orders by outcome", "訂單結果"),
        per_minute(language),
    )
    .stacked()
    .about(language.pick(
        "Orders per minute: success, sold_out, invalid (the request was wrong), shed (refused to \
         protect the shop) and failed. Replays of an order are not counted again.",
        "每分鐘訂單數：success 成功、sold_out 售罄、invalid 請求有誤、shed 為保護商店而卸載、failed 失敗。\
         重送的同一筆訂單不重複計算。",
    ))
    .query(by_label_per_minute("ecommerce_orders_total", "status"), "{{status}}")
}

fn payments(language: Language) -> Panel {
    time_series(
        language.pick("Payments by outcome", "支付結果"),
        per_minute(language),
    )
    .stacked()
    .about(language.pick(
        "Payments per minute: success (captured), declined, invalid (unknown or closed order, wrong \
         amount) and failed.",
        "每分鐘支付數：success 已請款、declined 遭拒、invalid 訂單不存在、已關閉或金額不符、failed 失敗。",
    ))
    .query(by_label_per_minute("ecommerce_payments_total", "status"), "{{status}}")
}

fn methods(language: Language) -> Panel {
    let rate = SHOP.rate("ecommerce_orders_total", r#"status="success""#);
    time_series(
        language.pick("Orders by payment method", "各付款方式訂單"),
        per_minute(language),
    )
    .stacked()
    .about(language.pick(
        "Confirmed orders per minute by the payment method that the order names.",
        "每分鐘成立的訂單，依訂單所填的付款方式。",
    ))
    .query(
        format!("60 * sum by (payment_method) ({rate})"),
        "{{payment_method}}",
    )
}

fn replays(language: Language) -> Panel {
    time_series(
        language.pick("Replays", "重送的請求"),
        per_minute(language),
    )
    .about(language.pick(
        "Requests per minute that were answered with an earlier answer, because a client sent its key \
         again. Nothing was ordered or charged twice.",
        "每分鐘以先前的回答回覆的請求，因為客戶端以同一個鍵重送；沒有任何一筆重複下單或扣款。",
    ))
    .query(by_label_per_minute("ecommerce_replays_total", "operation"), "{{operation}}")
}

fn carts(language: Language) -> Panel {
    let per_minute_of = |metric: &str| format!("60 * sum({})", SHOP.rate(metric, ""));
    time_series(language.pick("Carts", "購物車"), per_minute(language))
        .about(language.pick(
            "Additions to carts, carts made and carts that became an order, per minute.",
            "每分鐘加入購物車次數、建立的購物車與轉為訂單的購物車。",
        ))
        .query(
            per_minute_of("ecommerce_cart_additions_total"),
            language.pick("additions", "加入商品"),
        )
        .query(
            per_minute_of("ecommerce_carts_created_total"),
            language.pick("carts made", "建立購物車"),
        )
        .query(
            per_minute_of("ecommerce_carts_converted_total"),
            language.pick("carts ordered", "轉為訂單"),
        )
}

fn reserved(language: Language) -> Panel {
    time_series(language.pick("Reserved pieces", "保留中的庫存"), "short")
        .about(language.pick(
            "Pieces that unpaid orders hold. They come back when the order is cancelled or expires. The \
             highest of all instances, which share one store.",
            "未付款訂單保留的件數；訂單取消或逾期即歸還。各執行個體共用同一個資料庫，故取最大值。",
        ))
        .query(
            format!("max({})", SHOP.gauge("ecommerce_reserved_units")),
            language.pick("pieces", "件"),
        )
}

fn funnel(language: Language) -> Panel {
    let answered = SHOP.increase(REQUEST_COUNT, SUCCEEDED, RANGE);
    table(language.pick("Funnel", "轉換漏斗"), "short")
        .about(language.pick(
            "Requests that succeeded, by route, over the whole span that is shown: how many of those \
             who looked also ordered and paid.",
            "在所選時間範圍內各路徑成功的請求數：瀏覽的人之中有多少下單並付款。",
        ))
        .query(
            format!("sort_desc(sum by (endpoint, method) ({answered}))"),
            "{{method}} {{endpoint}}",
        )
        .columns(&[
            ("method", language.pick("Method", "方法")),
            ("endpoint", language.pick("Route", "路徑")),
            ("Value", language.pick("Requests", "請求數")),
        ])
}
