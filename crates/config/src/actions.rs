use std::collections::BTreeMap;
use std::path::Path;

use quivive_evidence::{FindingResult, Identity, Method};
use quivive_verdict::{Action, Actions, Mode};

use crate::Methods;
use crate::methods::MethodRow;
use crate::reading::Reading;
use crate::section::Section;
use crate::settings::Reload;
use crate::value::{Item, Value, Word, choose};
use crate::{Built, Problem, Row, write};

/// All actions, with whether this version has them.
pub(crate) const ACTIONS: &[(Action, Built)] = &[
    (Action::Accept, Built::Now),
    (Action::Mark, Built::Now),
    (Action::Defer, Built::Now),
    (Action::Hold, Built::Now),
    (Action::Reject, Built::Now),
    (Action::Discard, Built::Now),
];

/// `METHOD.IDENTITY.RESULT = ACTION`
impl Value for Actions {
    fn kind() -> String {
        "a table METHOD.IDENTITY.RESULT = ACTION".to_owned()
    }

    fn example() -> String {
        "{ spf = { mailfrom = { fail = \"reject\" } } }".to_owned()
    }

    fn read(item: &Item<'_>, reading: &mut Reading<'_>) -> Option<Self> {
        let section = Section::of_item::<Self>(item, reading)?;
        section.known("method", &words(Method::ALL, Method::word), reading);
        let mut actions = Self::default();
        for (name, span, item) in section.entries() {
            let Ok(method) = name.parse() else { continue };
            let row = MethodRow::of(method);
            // What an unbuilt method that is off would do may be written ahead of its version.
            if !reading.off.contains(&method) {
                reading.require(row.built, &span, row.not_in_this_version());
            }
            read_method(row, item, &mut actions, reading);
        }
        Some(actions)
    }

    fn write(&self) -> Option<String> {
        let mut methods: BTreeMap<Method, Vec<(String, String)>> = BTreeMap::new();
        for ((method, identity), rows) in by_identity(self) {
            let rows = write::inline(rows.into_iter());
            methods.entry(method).or_default().push((identity.to_string(), rows));
        }
        let methods = methods.into_iter();
        Some(write::inline(methods.map(|(method, identities)| {
            (method.to_string(), write::inline(identities.into_iter()))
        })))
    }

    fn rows() -> Vec<Row> {
        let row = |result: &FindingResult| Row {
            name: result.word(),
            kind: Action::kind(),
            default: Action::Mark.write(),
            default_is_toml: true,
            example: Action::example(),
            set_in_sample: false,
            range: None,
            reload: Reload::Live,
            built: Built::Now,
            prose: format!("What follows from `{result}`."),
            rows: Vec::new(),
            header: String::new(),
        };
        FindingResult::ALL.iter().map(row).collect()
    }

    fn header(name: &str) -> String {
        header(name, Method::Spf, Identity::Mailfrom)
    }

    fn sections(&self, name: &str) -> Option<String> {
        let sections = by_identity(self).into_iter().map(|((method, identity), rows)| {
            let lines = rows.into_iter().map(|(result, action)| format!("{result} = {action}\n"));
            format!("{}\n{}", header(name, method, identity), lines.collect::<String>())
        });
        Some(sections.collect::<Vec<_>>().join("\n"))
    }
}

impl Word for Action {
    const KIND: &'static str = "an action";
    const EXAMPLE: &'static str = "reject";

    fn parse(text: &str, _: &Path) -> Result<Self, Problem> {
        choose("action", text, Self::ALL.iter().map(|action| (action.word(), *action)))
    }

    fn text(&self) -> String {
        self.word().to_owned()
    }

    fn built(&self) -> Result<(), Problem> {
        let now = || ACTIONS.iter().filter(|(_, built)| *built == Built::Now);
        if now().any(|(action, _)| action == self) {
            return Ok(());
        }
        let words: Vec<_> = now().map(|(action, _)| action.word()).collect();
        let cure = format!("there are: {}", words.join(", "));
        Err(Problem::NotInThisVersion { what: "action", word: self.text(), cure })
    }
}

/// Adds the rows that hold for binding, where it is enforced, unless others are named: an operator
/// who has it enforced wants it refused.
pub(crate) fn complete(actions: &mut Actions, methods: &Methods) {
    if methods.mode(Method::Binding) != Mode::Enforce {
        return;
    }
    for identity in MethodRow::of(Method::Binding).identities {
        for (result, action) in [
            (FindingResult::Fail, Action::Reject),
            (FindingResult::Permerror, Action::Reject),
            (FindingResult::Temperror, Action::Defer),
            (FindingResult::Policy, Action::Defer),
        ] {
            if actions.get(Method::Binding, *identity, result).is_none() {
                actions.set(Method::Binding, *identity, result, action);
            }
        }
    }
}

fn read_method(
    row: &MethodRow,
    item: &Item<'_>,
    actions: &mut Actions,
    reading: &mut Reading<'_>,
) -> Option<()> {
    let section = Section::of_item::<Actions>(item, reading)?;
    section.known("identity", &words(row.identities, Identity::word), reading);
    for (name, _, item) in section.entries() {
        let identity = name.parse().ok().filter(|identity| row.identities.contains(identity));
        let Some(identity) = identity else { continue };
        let Some(section) = Section::of_item::<Actions>(item, reading) else { continue };
        section.known("result", &words(FindingResult::ALL, FindingResult::word), reading);
        for (name, _, item) in section.entries() {
            let Ok(result) = name.parse() else { continue };
            if let Some(action) = Action::read(item, reading) {
                actions.set(row.method, identity, result, action);
            }
        }
    }
    Some(())
}

fn by_identity(actions: &Actions) -> BTreeMap<(Method, Identity), Vec<(String, String)>> {
    let mut by_identity: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for ((method, identity, result), action) in actions.iter() {
        let row = (result.to_string(), write::string(action.word()));
        by_identity.entry((method, identity)).or_default().push(row);
    }
    by_identity
}

fn header(name: &str, method: Method, identity: Identity) -> String {
    format!("[{name}.{method}.{identity}]")
}

fn words<T: Copy>(all: &[T], word: fn(T) -> &'static str) -> Vec<&'static str> {
    all.iter().map(|item| word(*item)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_every_action() {
        assert_eq!(ACTIONS.iter().map(|(action, _)| *action).collect::<Vec<_>>(), Action::ALL);
    }
}
