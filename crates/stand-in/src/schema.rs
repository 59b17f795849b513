//! What requests are held against: JSON schemas, which stand beside a vendor as files, each with the name of the published
//! description by which it was written.

use std::sync::OnceLock;

use jsonschema::error::{TypeKind, ValidationError, ValidationErrorKind};
use jsonschema::{Validator, draft202012};
use serde_json::{Value, json};

/// One of the `$defs` of a file, compiled when it is first used.
pub(crate) struct Schema {
    file: &'static str,
    of: &'static str,
    compiled: OnceLock<Validator>,
}

/// One thing wrong with a request.
#[derive(Debug)]
pub(crate) struct Wrong {
    /// Where, as a JSON pointer; of what is missing, where it should be.
    pub(crate) at: String,
    pub(crate) rule: Rule,
    /// Why, to stand behind the name of the place; repeats nothing that was sent.
    pub(crate) why: String,
}

/// Which kind of rule is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    Type,
    Missing,
    Unknown,
    Value,
}

impl Schema {
    pub(crate) const fn new(file: &'static str, of: &'static str) -> Self {
        Self { file, of, compiled: OnceLock::new() }
    }

    /// Everything wrong with a request, in the order in which it was found.
    pub(crate) fn check(&self, request: &Value) -> Vec<Wrong> {
        let compiled = self.compiled.get_or_init(|| {
            let mut schema: Value = serde_json::from_str(self.file).expect("a schema is JSON");
            schema["$ref"] = json!(format!("#/$defs/{}", self.of));
            let options = draft202012::options().should_validate_formats(true);
            options.build(&schema).expect("a schema is one")
        });
        compiled.iter_errors(request).flat_map(|error| Wrong::of(&error)).collect()
    }
}

impl Wrong {
    fn of(error: &ValidationError) -> Vec<Self> {
        let at = error.instance_path().as_str();
        let wrong = |at: &str, rule, why: &str| Self { at: at.into(), rule, why: why.into() };
        let below = |name: &str| format!("{at}/{name}");
        match error.kind() {
            ValidationErrorKind::Type { kind: TypeKind::Single(of) } => {
                let article = if of.as_str().starts_with(['a', 'i', 'o']) { "an" } else { "a" };
                vec![wrong(at, Rule::Type, &format!("must be {article} {of}"))]
            }
            ValidationErrorKind::Required { property } => {
                vec![wrong(&below(property.as_str().unwrap_or_default()), Rule::Missing, "is missing")]
            }
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                unexpected.iter().map(|name| wrong(&below(name), Rule::Unknown, "is unknown")).collect()
            }
            ValidationErrorKind::FalseSchema => vec![wrong(at, Rule::Unknown, "is unknown here")],
            _ => {
                let why = error.masked().to_string();
                vec![wrong(at, Rule::Value, why.strip_prefix("value ").unwrap_or(&why))]
            }
        }
    }
}
