//! Config elements that give users data at the start of an iteration.

use double11_jmx::document::Element;

use super::counter::Counter;
use super::csv_data_set::CsvDataSet;
use super::random_csv::RandomCsv;
use super::random_variable::RandomVariable;
use crate::compiler::Compiler;
use crate::user::User;

/// A config element that sets variables whenever an iteration of the nearest controller above it
/// begins; a thread group is such a controller.
#[derive(Debug)]
pub struct DataConfig(Kind);

#[derive(Debug)]
enum Kind {
    Csv(Box<CsvDataSet>),
    RandomCsv(Box<RandomCsv>),
    Random(Box<RandomVariable>),
    Counter(Box<Counter>),
}

/// What comes next for a user after an iteration began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Its iteration.
    Continue,
    /// Its end: the data are used up, and the plan wants users to stop then.
    StopUser,
}

impl DataConfig {
    /// Reads a config element; `None` when the element gives no data.
    pub fn compile(element: &Element, compiler: &mut Compiler) -> Option<Self> {
        let kind = match element.class.as_str() {
            "CSVDataSet" => Kind::Csv(Box::new(CsvDataSet::compile(element, compiler))),
            "CounterConfig" => Kind::Counter(Box::new(Counter::compile(element, compiler))),
            "com.blazemeter.jmeter.RandomCSVDataSetConfig" => {
                Kind::RandomCsv(Box::new(RandomCsv::compile(element, compiler)))
            }
            "RandomVariableConfig" => {
                Kind::Random(Box::new(RandomVariable::compile(element, compiler)))
            }
            _ => return None,
        };
        Some(Self(kind))
    }

    /// The file that it reads, when the plan names it in full: it must be there before the users start.
    pub fn file(&self) -> Option<&str> {
        match &self.0 {
            Kind::Csv(data) => data.literal_file(),
            Kind::RandomCsv(data) => data.literal_file(),
            Kind::Counter(_) | Kind::Random(_) => None,
        }
    }

    /// Sets the variables of an iteration that begins.
    pub fn iteration_start(&self, user: &mut User) -> Next {
        match &self.0 {
            Kind::Csv(data) => return data.iteration_start(user),
            Kind::RandomCsv(data) => return data.iteration_start(user),
            Kind::Counter(counter) => counter.iteration_start(user),
            Kind::Random(random) => random.iteration_start(user),
        }
        Next::Continue
    }
}
