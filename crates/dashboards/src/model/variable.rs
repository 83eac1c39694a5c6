use serde::Serialize;
use serde::ser::{SerializeStruct as _, Serializer};

use super::DataSource;

/// A choice at the top of a dashboard, used as `$name` in queries.
#[derive(Clone, Debug)]
pub struct Variable {
    /// Its name in queries.
    pub name: &'static str,
    /// Its name for readers.
    pub label: String,
    /// What it is for.
    pub description: String,
    /// Where its values come from.
    pub kind: VariableType,
    /// What is chosen first.
    pub current: Current,
}

/// Where the values of a variable come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VariableType {
    /// The data sources of this kind.
    DataSource(&'static str),
    /// A query for label values.
    Query {
        /// The query, such as `label_values(metric, label)`.
        query: &'static str,
        /// Whether several values, or all, can be chosen.
        multi: bool,
    },
    /// Free text.
    TextBox,
}

/// A chosen value.
#[derive(Clone, Debug, Serialize)]
pub struct Current {
    /// What the reader sees.
    pub text: String,
    /// What queries get.
    pub value: String,
}

/// The query of a variable.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Query {
    query: &'static str,
    ref_id: String,
}

/// The one value of free text.
#[derive(Serialize)]
struct Choice<'a> {
    selected: bool,
    #[serde(flatten)]
    current: &'a Current,
}

/// Values are asked for again when the span of time changes.
const ON_TIME_RANGE_CHANGED: u32 = 2;
const ALPHABETICAL: u32 = 1;

impl Serialize for Variable {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("Variable", 13)?;
        out.serialize_field("name", self.name)?;
        out.serialize_field("label", &self.label)?;
        out.serialize_field("description", &self.description)?;
        out.serialize_field("current", &self.current)?;
        out.serialize_field("hide", &0)?;
        match &self.kind {
            VariableType::DataSource(source) => {
                out.serialize_field("type", "datasource")?;
                out.serialize_field("query", source)?;
                out.serialize_field("multi", &false)?;
                out.serialize_field("includeAll", &false)?;
                out.serialize_field("refresh", &1)?;
            }
            VariableType::Query { query, multi } => {
                out.serialize_field("type", "query")?;
                out.serialize_field("datasource", &DataSource::CHOSEN)?;
                let ref_id = format!("Variable-{}", self.name);
                out.serialize_field("query", &Query { query, ref_id })?;
                out.serialize_field("refresh", &ON_TIME_RANGE_CHANGED)?;
                out.serialize_field("sort", &ALPHABETICAL)?;
                out.serialize_field("multi", multi)?;
                out.serialize_field("includeAll", multi)?;
                if *multi {
                    out.serialize_field("allValue", ".+")?;
                }
            }
            VariableType::TextBox => {
                out.serialize_field("type", "textbox")?;
                out.serialize_field("query", &self.current.value)?;
                let choice = Choice {
                    selected: true,
                    current: &self.current,
                };
                out.serialize_field("options", &[choice])?;
            }
        }
        out.end()
    }
}
