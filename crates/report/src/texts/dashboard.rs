//! The words of the dashboard of a result file. They are a list of their own, since the page shares none
//! of its sentences with the report.

use super::Language;

macro_rules! texts {
    ($($name:ident,)*) => {
        /// The words of one language; the names say where they stand.
        #[derive(Debug)]
        pub(crate) struct DashboardTexts {
            $(pub(crate) $name: &'static str,)*
        }

        #[cfg(test)]
        impl DashboardTexts {
            /// Every word with the name of its place.
            fn all(&self) -> Vec<(&'static str, &'static str)> {
                vec![$((stringify!($name), self.$name),)*]
            }
        }
    };
}

texts! {
    title, between_sentences, no_script, footer, eyebrow, started, duration, seconds, samples, failed, throughput, per_second,
    statistics, statistics_about, statistics_window, statistics_no_window, statistics_forgotten,
    statistics_other_labels, label, total, mean, min, max, median, received, sent, transaction,
    apdex_about, apdex, over_time, every_second, every_stretch, chart_samples, chart_samples_about,
    chart_times, chart_times_about, chart_users, chart_users_about, errors, no_errors, error, count,
    of_errors, of_samples, rarer, top_errors, most_frequent, problems, problems_about,
    series_all, series_failed, series_median, series_users, axis_samples, axis_milliseconds, axis_users,
    axis_time, legend_second, csv, values, reset, dark, light,
}

impl Language {
    /// The words of the dashboard.
    pub(crate) fn dashboard_texts(self) -> &'static DashboardTexts {
        match self {
            Self::English => &ENGLISH,
            Self::TraditionalChinese => &TRADITIONAL_CHINESE,
        }
    }
}

#[rustfmt::skip]
const ENGLISH: DashboardTexts = DashboardTexts {
    title: "Results of {file}",
    between_sentences: " ",
    no_script: "Without scripts the page has all its tables, but no charts.",
    footer: "Double11 {version}, charts by uPlot {charts}.",
    eyebrow: "JMeter dashboard",
    started: "Started",
    duration: "Duration",
    seconds: "{value} s",
    samples: "Samples",
    failed: "Failed",
    throughput: "Throughput",
    per_second: "Per second",
    statistics: "Statistics",
    statistics_about: "Times are elapsed times in milliseconds, of failed samples too. The large percentiles are those of the whole run, by nearest rank.",
    statistics_window: "Below them, in grey, stands what JMeter’s own dashboard shows: an interpolated percentile of the last {window} samples of a label.",
    statistics_no_window: "Below them, in grey, stands what JMeter’s own dashboard shows with an unlimited window: interpolated percentiles.",
    statistics_forgotten: "JMeter’s window left out {count} samples of this file.",
    statistics_other_labels: "{count} samples have labels beyond those that are told apart; they are in the total.",
    label: "Label",
    total: "Total",
    mean: "Mean",
    min: "Min",
    max: "Max",
    median: "Median",
    received: "KiB/s received",
    sent: "KiB/s sent",
    transaction: "transaction, not in the total",
    apdex_about: "(satisfied + tolerated / 2) / all; a success satisfies up to {satisfied} ms and is tolerated up to {tolerated} ms. As in JMeter, the total counts transactions too.",
    apdex: "APDEX",
    over_time: "Over time",
    every_second: "second",
    every_stretch: "stretch of {seconds} seconds",
    chart_samples: "Samples per second",
    chart_samples_about: "What ended in each {every}, transactions left out.",
    chart_times: "Response times",
    chart_times_about: "Elapsed times of what ended in each {every}, failed samples too.",
    chart_users: "Active users",
    chart_users_about: "The most that a row of each {every} tells of.",
    errors: "Errors",
    no_errors: "No sample failed.",
    error: "Error",
    count: "Count",
    of_errors: "Of errors",
    of_samples: "Of samples",
    rarer: "And {count} rarer kinds.",
    top_errors: "Top five errors by sampler",
    most_frequent: "Most frequent",
    problems: "Rows left out",
    problems_about: "{count} rows of the file could not be read and are in no figure:",
    series_all: "all",
    series_failed: "failed",
    series_median: "median",
    series_users: "users",
    axis_samples: "samples per second",
    axis_milliseconds: "milliseconds",
    axis_users: "users",
    axis_time: "seconds since the start",
    legend_second: "second",
    csv: "Save as CSV",
    values: "Show values",
    reset: "Show all",
    dark: "Dark",
    light: "Light",
};

#[rustfmt::skip]
const TRADITIONAL_CHINESE: DashboardTexts = DashboardTexts {
    title: "{file} 的測試結果",
    between_sentences: "",
    no_script: "停用指令碼時，所有表格仍可閱讀，但沒有圖表。",
    footer: "Double11 {version}，圖表由 uPlot {charts} 繪製。",
    eyebrow: "JMeter 儀表板",
    started: "開始時間",
    duration: "歷時",
    seconds: "{value} 秒",
    samples: "樣本數",
    failed: "失敗",
    throughput: "吞吐量",
    per_second: "每秒",
    statistics: "統計",
    statistics_about: "時間為經過時間，單位為毫秒，失敗的樣本也計入。大字的百分位數取自整場測試，採最近排名法。",
    statistics_window: "其下灰字是 JMeter 自己的儀表板會顯示的數字：只取每個標籤最後 {window} 個樣本的內插百分位數。",
    statistics_no_window: "其下灰字是 JMeter 自己的儀表板在視窗不設限時會顯示的數字：內插百分位數。",
    statistics_forgotten: "JMeter 的視窗略去了這個檔案的 {count} 個樣本。",
    statistics_other_labels: "有 {count} 個樣本的標籤超出可分辨的數量，只計入合計。",
    label: "標籤",
    total: "合計",
    mean: "平均",
    min: "最小",
    max: "最大",
    median: "中位數",
    received: "接收 KiB/s",
    sent: "送出 KiB/s",
    transaction: "交易，不計入合計",
    apdex_about: "(滿意 + 可容忍 / 2) / 全部；成功的樣本在 {satisfied} 毫秒以內為滿意，{tolerated} 毫秒以內為可容忍。與 JMeter 相同，合計也計入交易。",
    apdex: "APDEX 指數",
    over_time: "隨時間的變化",
    every_second: "一秒",
    every_stretch: " {seconds} 秒",
    chart_samples: "每秒樣本數",
    chart_samples_about: "每{every}內結束的樣本，不含交易。",
    chart_times: "回應時間",
    chart_times_about: "每{every}內結束的樣本的經過時間，失敗的也計入。",
    chart_users: "執行中的使用者",
    chart_users_about: "每{every}內各列所記的最大值。",
    errors: "失敗原因",
    no_errors: "沒有失敗的樣本。",
    error: "原因",
    count: "次數",
    of_errors: "占失敗",
    of_samples: "占樣本",
    rarer: "另有 {count} 種較少見的原因。",
    top_errors: "各取樣器最常見的五種失敗",
    most_frequent: "最常見",
    problems: "略去的列",
    problems_about: "檔案中有 {count} 列無法讀取，不計入任何數字：",
    series_all: "全部",
    series_failed: "失敗",
    series_median: "中位數",
    series_users: "使用者",
    axis_samples: "每秒樣本數",
    axis_milliseconds: "毫秒",
    axis_users: "使用者",
    axis_time: "自開始起的秒數",
    legend_second: "秒",
    csv: "存成 CSV",
    values: "顯示數值",
    reset: "顯示全部",
    dark: "深色",
    light: "淺色",
};

#[cfg(test)]
mod tests {
    use super::super::tests::{FOREIGN, places};
    use super::*;

    #[test]
    fn both_languages_fill_the_same_places_and_are_their_own() {
        let english = Language::English.dashboard_texts().all();
        let chinese = Language::TraditionalChinese.dashboard_texts().all();
        for ((name, words), (_, english)) in chinese.iter().zip(&english) {
            assert_eq!(places(words), places(english), "{name}");
            assert_ne!(words, english, "{name}");
            for foreign in FOREIGN {
                assert!(!words.contains(foreign), "{name}: {foreign} in {words}");
            }
        }
    }
}
