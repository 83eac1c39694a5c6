//! What the shop stands on: its process, its store, the scrapes, Redis, MySQL, containers.

use super::{Head, dashboard};
use crate::Language;
use crate::grid::Grid;
use crate::model::{Dashboard, Panel};
use crate::panels::{stat, time_series};
use crate::query::{RATE, Side};

const SHOP: Side = Side::Chosen;

/// The shop's containers; the pause container and the sums over a pod have no name or image.
const CONTAINERS: &str = r#"namespace="ecommerce",pod=~"ecommerce.*",container!="",image!="""#;

pub(crate) fn dependencies(language: Language) -> Dashboard {
    let head = Head {
        name: "dependencies",
        title: language.pick("Dependencies and resources", "依賴與資源"),
        description: language.pick(
            "Processor, memory, store and scrapes of one variant of the shop; Redis, MySQL and \
             containers where there are any.",
            "單一變體商店的 CPU、記憶體、資料庫與抓取狀況；有 Redis、MySQL 與容器時一併顯示。",
        ),
        both_variants: false,
    };
    let mut grid = Grid::default();
    grid.heading(language.pick("Process", "行程"));
    grid.add((8, 9), cpu(language));
    grid.add((8, 9), memory(language));
    grid.add((8, 9), handles(language));
    grid.heading(language.pick("Store", "資料庫寫入"));
    grid.add((8, 9), commit_time(language));
    grid.add((8, 9), commits(language));
    grid.add((8, 9), writes_per_commit(language));
    grid.heading(language.pick("Scrapes", "抓取"));
    grid.add((8, 7), up(language));
    grid.add((8, 7), scrape_time(language));
    grid.add((8, 7), scraped_samples(language));
    redis(language, &mut grid);
    mysql(language, &mut grid);
    containers(language, &mut grid);
    dashboard(language, &head, grid)
}

fn cpu(language: Language) -> Panel {
    let used = SHOP.rate("process_cpu_seconds_total", "");
    time_series(language.pick("CPU", "CPU 使用率"), "percent")
        .about(language.pick(
            "Processor time of each process; 100% is one core.",
            "各行程的 CPU 時間；100% 為一個核心。",
        ))
        .query(format!("100 * sum by (instance) ({used})"), "{{instance}}")
}

fn memory(language: Language) -> Panel {
    time_series(language.pick("Memory", "記憶體"), "bytes")
        .about(language.pick(
            "Memory that each process occupies, and address space that it has reserved.",
            "各行程占用的記憶體與保留的位址空間。",
        ))
        .query(
            format!(
                "sum by (instance) ({})",
                SHOP.gauge("process_resident_memory_bytes")
            ),
            language.pick("occupied {{instance}}", "占用 {{instance}}"),
        )
        .query(
            format!(
                "sum by (instance) ({})",
                SHOP.gauge("process_virtual_memory_bytes")
            ),
            language.pick("reserved {{instance}}", "保留 {{instance}}"),
        )
        .dashed("/reserved|保留/")
}

fn handles(language: Language) -> Panel {
    time_series(
        language.pick("Open files and threads", "開啟的檔案與執行緒"),
        "short",
    )
    .about(language.pick(
        "Open files, connections among them, with the most that the process may have, and threads. At \
         the limit the shop takes no further connection.",
        "開啟的檔案數（含連線）、其上限，以及執行緒數。檔案數達到上限時商店無法再接受連線。",
    ))
    .query(
        format!("sum by (instance) ({})", SHOP.gauge("process_open_fds")),
        language.pick("files {{instance}}", "檔案 {{instance}}"),
    )
    .query(
        format!("sum by (instance) ({})", SHOP.gauge("process_max_fds")),
        language.pick("limit {{instance}}", "上限 {{instance}}"),
    )
    .query(
        format!("sum by (instance) ({})", SHOP.gauge("process_threads")),
        language.pick("threads {{instance}}", "執行緒 {{instance}}"),
    )
    .dashed("/limit|上限/")
    .logarithmic()
}

fn commit_time(language: Language) -> Panel {
    let panel = time_series(language.pick("Commit time", "提交時間"), "s").about(language.pick(
        "How long the store takes to make a group of writes durable.",
        "資料庫將一組寫入確實存檔所需的時間。",
    ));
    let buckets = SHOP.rate("ecommerce_store_commit_seconds_bucket", "");
    [("P50", "0.5"), ("P95", "0.95"), ("P99", "0.99")]
        .into_iter()
        .fold(panel, |panel, (name, quantile)| {
            let expr = format!("histogram_quantile({quantile}, sum by (le) ({buckets}))");
            panel.query(expr, name)
        })
}

fn commits(language: Language) -> Panel {
    let commits = SHOP.rate("ecommerce_store_commit_seconds_count", "");
    let writes = SHOP.rate("ecommerce_order_batch_size_sum", "");
    time_series(language.pick("Commits and writes", "提交與寫入"), "ops")
        .about(language.pick(
            "Commits per second, and the writes that they made durable.",
            "每秒提交次數，以及因此存檔的寫入數。",
        ))
        .query(format!("sum({commits})"), language.pick("commits", "提交"))
        .query(format!("sum({writes})"), language.pick("writes", "寫入"))
}

fn writes_per_commit(language: Language) -> Panel {
    let writes = SHOP.rate("ecommerce_order_batch_size_sum", "");
    let commits = SHOP.rate("ecommerce_order_batch_size_count", "");
    let buckets = SHOP.rate("ecommerce_order_batch_size_bucket", "");
    time_series(
        language.pick("Writes per commit", "每次提交的寫入數"),
        "short",
    )
    .about(language.pick(
        "How many writes share one commit: the mean, and what 95 of 100 commits stay below. The \
             baseline commits each write by itself.",
        "一次提交包含多少筆寫入：平均值，以及 95% 的提交不超過的數量。優化前每筆寫入各自提交。",
    ))
    .query(
        format!("sum({writes}) / (sum({commits}) > 0)"),
        language.pick("mean", "平均"),
    )
    .query(
        format!("histogram_quantile(0.95, sum by (le) ({buckets}))"),
        "P95",
    )
}

fn up(language: Language) -> Panel {
    stat(language.pick("Shops up", "商店運作狀態"), "short")
        .bare()
        .limits(&[("red", None), ("green", Some(1))])
        .about(language.pick(
            "1 if the instance answered the last scrape.",
            "執行個體最近一次抓取有回應則為 1。",
        ))
        .instant(
            format!("min by (instance) ({})", SHOP.now("up")),
            "{{instance}}",
        )
}

fn scrape_time(language: Language) -> Panel {
    time_series(language.pick("Scrape time", "抓取時間"), "s")
        .about(language.pick(
            "How long a scrape of the metrics takes: observing costs the shop something too, the same \
             in both variants.",
            "抓取一次指標所需的時間：觀測本身也有成本，兩個變體相同。",
        ))
        .query(
            format!("max by (instance) ({})", SHOP.gauge("scrape_duration_seconds")),
            "{{instance}}",
        )
}

fn scraped_samples(language: Language) -> Panel {
    time_series(
        language.pick("Samples per scrape", "每次抓取的樣本數"),
        "short",
    )
    .about(language.pick(
        "Series that an instance exports. The number is fixed from the start; if it grows, a label \
             is not bounded.",
        "執行個體輸出的序列數。啟動後固定不變；若持續增加，表示有標籤沒有上限。",
    ))
    .query(
        format!(
            "max by (instance) ({})",
            SHOP.gauge("scrape_samples_scraped")
        ),
        "{{instance}}",
    )
}

fn redis(language: Language, grid: &mut Grid) {
    let rate = |metric: &str| format!(r#"rate({metric}{{job="redis"}}[{RATE}])"#);
    grid.closed("Redis");
    grid.add(
        (6, 8),
        stat(language.pick("Redis up", "Redis 運作狀態"), "short")
            .bare()
            .limits(&[("red", None), ("green", Some(1))])
            .about(language.pick(
                "Whether the exporter reaches Redis.",
                "指標輸出程式是否連得上 Redis。",
            ))
            .instant(
                format!(r#"min by (instance) (last_over_time(redis_up{{job="redis"}}[{RATE}]))"#),
                "{{instance}}",
            ),
    );
    grid.add(
        (6, 8),
        time_series(language.pick("Redis commands", "Redis 指令"), "ops")
            .about(language.pick("Commands per second.", "每秒指令數。"))
            .query(
                format!(
                    "sum by (instance) ({})",
                    rate("redis_commands_processed_total")
                ),
                "{{instance}}",
            ),
    );
    let (hits, misses) = (
        rate("redis_keyspace_hits_total"),
        rate("redis_keyspace_misses_total"),
    );
    grid.add(
        (6, 8),
        time_series(language.pick("Redis hits", "Redis 命中率"), "percent")
            .about(language.pick(
                "Reads that found their key.",
                "讀取時找到鍵值的比例。",
            ))
            .query(
                format!("100 * sum by (instance) ({hits}) / (sum by (instance) ({hits}) + sum by (instance) ({misses}) > 0)"),
                "{{instance}}",
            ),
    );
    grid.add(
        (6, 8),
        time_series(language.pick("Redis memory", "Redis 記憶體"), "bytes")
            .about(language.pick(
                "Memory in use, and the limit where one is set.",
                "使用中的記憶體；有設定上限時一併顯示。",
            ))
            .query(
                r#"sum by (instance) (redis_memory_used_bytes{job="redis"})"#.to_owned(),
                language.pick("used {{instance}}", "使用 {{instance}}"),
            )
            .query(
                r#"sum by (instance) (redis_memory_max_bytes{job="redis"} > 0)"#.to_owned(),
                language.pick("limit {{instance}}", "上限 {{instance}}"),
            )
            .dashed("/limit|上限/"),
    );
}

fn mysql(language: Language, grid: &mut Grid) {
    let rate =
        |metric: &str| format!(r#"sum by (instance) (rate({metric}{{job="mysql"}}[{RATE}]))"#);
    grid.closed("MySQL");
    grid.add(
        (6, 8),
        stat(language.pick("MySQL up", "MySQL 運作狀態"), "short")
            .bare()
            .limits(&[("red", None), ("green", Some(1))])
            .about(language.pick(
                "Whether the exporter reaches MySQL.",
                "指標輸出程式是否連得上 MySQL。",
            ))
            .instant(
                format!(r#"min by (instance) (last_over_time(mysql_up{{job="mysql"}}[{RATE}]))"#),
                "{{instance}}",
            ),
    );
    grid.add(
        (6, 8),
        time_series(language.pick("MySQL connections", "MySQL 連線"), "short")
            .about(language.pick(
                "Open connections and the most that the server takes.",
                "開啟的連線數與伺服器上限。",
            ))
            .query(
                r#"sum by (instance) (mysql_global_status_threads_connected{job="mysql"})"#
                    .to_owned(),
                language.pick("open {{instance}}", "開啟 {{instance}}"),
            )
            .query(
                r#"sum by (instance) (mysql_global_variables_max_connections{job="mysql"})"#
                    .to_owned(),
                language.pick("limit {{instance}}", "上限 {{instance}}"),
            )
            .dashed("/limit|上限/"),
    );
    grid.add(
        (6, 8),
        time_series(language.pick("MySQL statements", "MySQL 陳述式"), "ops")
            .about(language.pick(
                "Statements per second, and those above the server's limit for slow ones.",
                "每秒陳述式數，以及超過慢查詢門檻者。",
            ))
            .query(
                rate("mysql_global_status_queries"),
                language.pick("all {{instance}}", "全部 {{instance}}"),
            )
            .query(
                rate("mysql_global_status_slow_queries"),
                language.pick("slow {{instance}}", "慢查詢 {{instance}}"),
            ),
    );
    grid.add(
        (6, 8),
        time_series(language.pick("MySQL row locks", "MySQL 資料列鎖"), "ops")
            .about(language.pick(
                "How often a statement waited for a row that another transaction held, per second.",
                "每秒因其他交易持有資料列而等待的次數。",
            ))
            .query(
                rate("mysql_global_status_innodb_row_lock_waits"),
                "{{instance}}",
            ),
    );
}

/// Cores that a pod uses of those it may use, in per cent. A quota is what a container may use in each of
/// its own periods, so that limits in cores are added up and neither quotas nor periods.
fn cpu_of_the_limit() -> String {
    let quota = format!("container_spec_cpu_quota{{{CONTAINERS}}}");
    let period = format!("container_spec_cpu_period{{{CONTAINERS}}}");
    let used = format!("rate(container_cpu_usage_seconds_total{{{CONTAINERS}}}[{RATE}])");
    format!(
        "100 * sum by (pod) ({used} and on (namespace, pod, container) {quota}) / \
         sum by (pod) ({quota} / {period})"
    )
}

fn containers(language: Language, grid: &mut Grid) {
    let rate = |metric: &str| format!("sum by (pod) (rate({metric}{{{CONTAINERS}}}[{RATE}]))");
    let sum = |metric: &str| format!("sum by (pod) ({metric}{{{CONTAINERS}}})");
    grid.closed(language.pick("Containers (Kubernetes)", "容器 (Kubernetes)"));
    grid.add(
        (8, 9),
        time_series(language.pick("CPU of the limit", "容器 CPU 使用率"), "percent")
            .about(language.pick(
                "Processor time of each pod as a share of its limit, which is the sum of its containers'. \
                 Containers without a limit are left out; a pod without any has no line.",
                "各 Pod 的 CPU 時間占其上限（各容器上限之和）的比例；沒有上限的容器不計，沒有任何上限的 Pod 不顯示。",
            ))
            .query(
                cpu_of_the_limit(),
                language.pick("CPU usage - {{pod}}", "CPU使用率 - {{pod}}"),
            ),
    );
    grid.add(
        (8, 9),
        time_series(
            language.pick("Memory of the limit", "容器記憶體使用率"),
            "percent",
        )
        .about(language.pick(
            "Memory of each pod that cannot be reclaimed, as a share of its limit. A pod without a \
                 limit has no line.",
            "各 Pod 無法回收的記憶體占其上限的比例；沒有上限的 Pod 不顯示。",
        ))
        .query(
            format!(
                "100 * {} / ({} > 0)",
                sum("container_memory_working_set_bytes"),
                sum("container_spec_memory_limit_bytes"),
            ),
            language.pick("Memory usage - {{pod}}", "記憶體使用率 - {{pod}}"),
        ),
    );
    grid.add(
        (8, 9),
        time_series(language.pick("Throttled", "CPU 受限"), "percent")
            .limits(&[("green", None), ("red", Some(25))])
            .about(language.pick(
                "Share of scheduling periods in which the pod had to stand still because its CPU limit \
                 was used up. What is measured then is the limit, not the program.",
                "Pod 因 CPU 上限用盡而暫停的排程週期比例。此時量到的是上限，不是程式。",
            ))
            .query(
                format!(
                    "100 * {} / ({} > 0)",
                    rate("container_cpu_cfs_throttled_periods_total"),
                    rate("container_cpu_cfs_periods_total"),
                ),
                "{{pod}}",
            ),
    );
}
