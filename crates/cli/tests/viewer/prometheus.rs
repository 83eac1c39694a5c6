//! A Prometheus that scrapes both shops.

use std::path::Path;

use crate::servers::{Running, prometheus_present};

/// How often it scrapes.
pub(crate) const SCRAPE: &str = "1s";

/// Starts it with both shops as targets of the job `ecommerce-app`, on these ports. None, said aloud,
/// where Prometheus is not installed.
pub(crate) fn start(folder: &Path, baseline: u16, optimized: u16) -> Option<Running> {
    if !prometheus_present() {
        return None;
    }
    let configuration = format!(
        "global: {{scrape_interval: {SCRAPE}, scrape_timeout: {SCRAPE}}}\n\
         scrape_configs:\n\
         - job_name: ecommerce-app\n  \
           metrics_path: /actuator/prometheus\n  \
           static_configs:\n  \
           - {{targets: ['127.0.0.1:{baseline}'], labels: {{variant: baseline}}}}\n  \
           - {{targets: ['127.0.0.1:{optimized}'], labels: {{variant: optimized}}}}\n"
    );
    Some(Running::prometheus_with(folder, &configuration))
}
