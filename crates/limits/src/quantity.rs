//! Amounts of processors and memory, in the words of Kubernetes.
//!
//! Source: "Resource Management for Pods and Containers" and the type `Quantity` of Kubernetes'
//! API: decimal suffixes `k M G T P E`, binary ones `Ki Mi Gi Ti Pi Ei`, `m` for thousandths.

use std::fmt;
use std::str::FromStr;

/// Digits that count behind the point.
const FRACTION_DIGITS: usize = 3;
/// What one unit is, in thousandths.
const THOUSAND: u64 = 1_000;
/// The suffixes of memory with their factors, the binary ones first.
const SUFFIXES: [(&str, u64); 12] = [
    ("Ki", 1 << 10),
    ("Mi", 1 << 20),
    ("Gi", 1 << 30),
    ("Ti", 1 << 40),
    ("Pi", 1 << 50),
    ("Ei", 1 << 60),
    ("k", 1_000),
    ("M", 1_000_000),
    ("G", 1_000_000_000),
    ("T", 1_000_000_000_000),
    ("P", 1_000_000_000_000_000),
    ("E", 1_000_000_000_000_000_000),
];

/// Why a text is no limit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// Not a number of processors.
    #[error("`{0}` is no number of processors; write `2`, `0.5` or `500m`")]
    Processors(String),
    /// Not an amount of memory.
    #[error("`{0}` is no amount of memory; write `4Gi`, `512Mi`, `500M` or a number of bytes")]
    Memory(String),
    /// Fewer processors than the kernel can hold a process to, or more than there can be.
    #[error("`{0}` is not between 0.01 and 1024 processors")]
    ProcessorsOutOfRange(String),
    /// So little memory that no process of use runs in it, or more than there can be.
    #[error("`{0}` is not between {min} and 8Ei of memory", min = MemoryLimit::MIN)]
    MemoryOutOfRange(String),
}

/// Processor time per time, in processors: 0.5 is half of one. Between 0.01 and 1024, in thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CpuLimit {
    thousandths: u64,
}

impl CpuLimit {
    /// The span of time in which the kernel grants its quota: that of Kubernetes, in microseconds.
    pub const PERIOD_US: u64 = 100_000;
    /// The kernel grants no less than a millisecond a period.
    const MIN_THOUSANDTHS: u64 = 10;
    const MAX_THOUSANDTHS: u64 = 1_024 * THOUSAND;

    /// Processors, such as 0.5.
    pub fn processors(self) -> f64 {
        self.thousandths as f64 / THOUSAND as f64
    }

    /// The number of processors where it is a whole one.
    pub fn whole(self) -> Option<usize> {
        let whole = self.thousandths.is_multiple_of(THOUSAND);
        whole.then(|| self.rounded_up())
    }

    /// The least number of whole processors that gives as much.
    pub fn rounded_up(self) -> usize {
        usize::try_from(self.thousandths.div_ceil(THOUSAND)).unwrap_or(usize::MAX)
    }

    /// Processor time that is granted in each period, in microseconds.
    pub const fn quota_us(self) -> u64 {
        self.thousandths * (Self::PERIOD_US / THOUSAND)
    }
}

impl FromStr for CpuLimit {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || QuantityError::Processors(text.to_owned());
        let thousandths = match text.strip_suffix('m') {
            Some(digits) => whole_number(digits).ok_or_else(wrong)?,
            None => thousandths(text).ok_or_else(wrong)?,
        };
        if (Self::MIN_THOUSANDTHS..=Self::MAX_THOUSANDTHS).contains(&thousandths) {
            Ok(Self { thousandths })
        } else {
            Err(QuantityError::ProcessorsOutOfRange(text.to_owned()))
        }
    }
}

impl fmt::Display for CpuLimit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fraction = format!("{:03}", self.thousandths % THOUSAND);
        let fraction = fraction.trim_end_matches('0');
        let point = if fraction.is_empty() { "" } else { "." };
        write!(
            formatter,
            "{}{point}{fraction}",
            self.thousandths / THOUSAND
        )
    }
}

/// An amount of memory of at least [`MemoryLimit::MIN`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MemoryLimit {
    bytes: u64,
}

impl MemoryLimit {
    /// 16 MiB. A program of ours does not start in less.
    pub const MIN: Self = Self { bytes: 16 << 20 };
    /// The kernel's counters are signed.
    const MAX: Self = Self {
        bytes: i64::MAX as u64,
    };

    /// The amount in bytes.
    pub const fn bytes(self) -> u64 {
        self.bytes
    }
}

impl FromStr for MemoryLimit {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || QuantityError::Memory(text.to_owned());
        let (number, factor) = SUFFIXES
            .into_iter()
            .find_map(|(suffix, factor)| Some((text.strip_suffix(suffix)?, factor)))
            .unwrap_or((text, 1));
        let thousandths = thousandths(number).ok_or_else(wrong)?;
        let scaled = u128::from(thousandths) * u128::from(factor);
        if !scaled.is_multiple_of(u128::from(THOUSAND)) {
            return Err(wrong());
        }
        let limit = u64::try_from(scaled / u128::from(THOUSAND)).map(|bytes| Self { bytes });
        limit
            .ok()
            .filter(|limit| (Self::MIN..=Self::MAX).contains(limit))
            .ok_or_else(|| QuantityError::MemoryOutOfRange(text.to_owned()))
    }
}

impl fmt::Display for MemoryLimit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (binary, _) = SUFFIXES.split_at(SUFFIXES.len() / 2);
        let exact = binary.iter().rev();
        let exact = exact
            .filter(|(_, factor)| self.bytes.is_multiple_of(*factor))
            .find(|(_, factor)| self.bytes >= *factor);
        match exact {
            Some((suffix, factor)) => write!(formatter, "{}{suffix}", self.bytes / factor),
            None => write!(formatter, "{}", self.bytes),
        }
    }
}

/// A number of digits alone, such as `500`.
fn whole_number(digits: &str) -> Option<u64> {
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().ok())?
}

/// A decimal number with at most three digits behind its point, in thousandths.
fn thousandths(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if fraction.len() > FRACTION_DIGITS {
        return None;
    }
    let padded = format!("{fraction:0<FRACTION_DIGITS$}");
    let fraction = whole_number(fraction).and(whole_number(&padded))?;
    whole_number(whole)?
        .checked_mul(THOUSAND)?
        .checked_add(fraction)
}

#[cfg(test)]
mod tests {
    use super::{CpuLimit, MemoryLimit, QuantityError};

    #[test]
    fn processors_are_read_and_shown() {
        for (text, shown, quota_us, whole, rounded_up) in [
            ("0.5", "0.5", 50_000, None, 1),
            ("500m", "0.5", 50_000, None, 1),
            ("2", "2", 200_000, Some(2), 2),
            ("2.0", "2", 200_000, Some(2), 2),
            ("1.25", "1.25", 125_000, None, 2),
            ("0.01", "0.01", 1_000, None, 1),
            ("2000m", "2", 200_000, Some(2), 2),
            ("1024", "1024", 102_400_000, Some(1_024), 1_024),
        ] {
            let limit: CpuLimit = text.parse().unwrap();
            assert_eq!(limit.to_string(), shown, "{text}");
            assert_eq!(limit.quota_us(), quota_us, "{text}");
            assert_eq!(limit.whole(), whole, "{text}");
            assert_eq!(limit.rounded_up(), rounded_up, "{text}");
            let processors: f64 = shown.parse().unwrap();
            assert!((limit.processors() - processors).abs() < 1e-9, "{text}");
        }
    }

    #[test]
    fn what_is_no_number_of_processors_is_refused() {
        for text in [
            "", ".", "1.", ".5", "-1", "+1", "1e2", "0.0001", "two", "1,5", "m", "0.5m", "NaN",
        ] {
            let error = text.parse::<CpuLimit>().unwrap_err();
            assert_eq!(error, QuantityError::Processors(text.to_owned()));
        }
        for text in ["0", "0.0", "0.009", "9m", "1025", "99999999999999"] {
            let error = text.parse::<CpuLimit>().unwrap_err();
            assert_eq!(error, QuantityError::ProcessorsOutOfRange(text.to_owned()));
        }
    }

    #[test]
    fn memory_is_read_and_shown() {
        for (text, bytes, shown) in [
            ("4Gi", 4 << 30, "4Gi"),
            ("512Mi", 512 << 20, "512Mi"),
            ("0.5Gi", 512 << 20, "512Mi"),
            ("1.5Gi", 1_536 << 20, "1536Mi"),
            ("500M", 500_000_000, "500000000"),
            ("65536k", 65_536_000, "64000Ki"),
            ("16Mi", 16 << 20, "16Mi"),
            ("33554432", 32 << 20, "32Mi"),
            ("7Ei", 7 << 60, "7Ei"),
        ] {
            let limit: MemoryLimit = text.parse().unwrap();
            assert_eq!(limit.bytes(), bytes, "{text}");
            assert_eq!(limit.to_string(), shown, "{text}");
        }
    }

    #[test]
    fn what_is_no_amount_of_memory_is_refused() {
        for text in [
            "",
            "Gi",
            "4gi",
            "512m",
            "4GB",
            "4 Gi",
            "-4Gi",
            "1.0001Gi",
            "4g",
            "1e9",
            "16777216.5",
        ] {
            let error = text.parse::<MemoryLimit>().unwrap_err();
            assert_eq!(error, QuantityError::Memory(text.to_owned()));
        }
        for text in ["0", "15Mi", "16777215", "8Ei", "16E"] {
            let error = text.parse::<MemoryLimit>().unwrap_err();
            assert_eq!(error, QuantityError::MemoryOutOfRange(text.to_owned()));
        }
    }
}
