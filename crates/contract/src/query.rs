use std::net::IpAddr;
use std::sync::Arc;

use quivive_evidence::{Facts, Header, Identity, Method};
use quivive_verdict::{Mode, Policy};

/// What is told of one message, by flags, by a line of a batch, or by a request.
#[derive(Debug, Clone)]
pub struct Query {
    /// The client's address.
    pub ip: IpAddr,
    /// What it said in HELO or EHLO.
    pub helo: String,
    /// The reverse-path, with or without angle brackets.
    pub mail_from: String,
    /// The recipients, with or without angle brackets.
    pub rcpt: Vec<String>,
    /// The name under which the client logged in.
    pub auth_user: Option<String>,
    /// The responsible address that it announced (RFC 4405), with or without angle brackets.
    pub submitter: Option<String>,
    /// The message's header.
    pub header: Option<Header>,
    /// What is to be judged.
    pub selection: Selection,
}

/// Which methods run and which identities are judged, where it is said.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// These methods and no others; one that is off reports.
    pub methods: Option<Vec<Method>>,
    /// These identities and no others.
    pub identities: Option<Vec<Identity>>,
}

/// Why a selection cannot be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SelectionError {
    /// The method or identity is not built yet.
    NotInThisVersion {
        /// What it is: "method", "identity".
        what: &'static str,
        /// Its name.
        word: &'static str,
    },
    /// Nothing would be judged; why.
    Nothing(&'static str),
}

impl Query {
    /// The facts that it tells; the door notes the others.
    pub fn facts(self) -> Facts {
        let mut facts = Facts::new(self.ip);
        facts.helo = self.helo;
        facts.reverse_path = without_brackets(self.mail_from);
        facts.recipients = self.rcpt.into_iter().map(without_brackets).collect();
        facts.auth_user = self.auth_user;
        facts.submitter = self.submitter.map(without_brackets);
        facts.header = self.header;
        facts
    }
}

impl Selection {
    /// What is said here, and where nothing is said, what `default` says.
    #[must_use]
    pub fn or(self, default: &Self) -> Self {
        Self {
            methods: self.methods.or_else(|| default.methods.clone()),
            identities: self.identities.or_else(|| default.identities.clone()),
        }
    }

    /// Whether this version can judge what is selected.
    ///
    /// # Errors
    /// A method or identity that this version does not have, or nothing that could be judged.
    pub fn check(&self) -> Result<(), SelectionError> {
        let built: Vec<Method> = quivive_verdict::methods().collect();
        if let Some(method) = self.methods.iter().flatten().find(|method| !built.contains(method)) {
            let word = method.word();
            return Err(SelectionError::NotInThisVersion { what: "method", word });
        }
        if self.methods.as_ref().is_some_and(Vec::is_empty) {
            return Err(SelectionError::Nothing("no method is named: nothing would be judged"));
        }
        if self.identities.as_ref().is_some_and(Vec::is_empty) {
            return Err(SelectionError::Nothing("no identity is named: nothing would be judged"));
        }
        let methods = self.methods.as_ref().unwrap_or(&built);
        let judged = |identity: &Identity| quivive_verdict::judges(methods, *identity);
        match self.identities.iter().flatten().find(|identity| !judged(identity)) {
            Some(identity) => {
                let word = identity.word();
                Err(SelectionError::NotInThisVersion { what: "identity", word })
            }
            None => Ok(()),
        }
    }

    /// The policy, with no other methods and identities than these. A method that is named runs,
    /// although the policy has it off.
    ///
    /// # Errors
    /// As [`Selection::check`].
    pub fn of(&self, policy: &Arc<Policy>) -> Result<Arc<Policy>, SelectionError> {
        if self.methods.is_none() && self.identities.is_none() {
            return Ok(policy.clone());
        }
        self.check()?;
        let mut selected = Policy::clone(policy);
        if let Some(methods) = &self.methods {
            selected.methods.clear();
            // What is asked for by name is judged, whoever logged in.
            selected.practice.check_logins = true;
            for &method in methods {
                let mode = match policy.mode(method) {
                    Mode::Off => Mode::Report,
                    mode => mode,
                };
                selected.methods.insert(method, mode);
            }
        }
        if let Some(identities) = &self.identities {
            selected.identities.clone_from(identities);
        }
        Ok(Arc::new(selected))
    }
}

/// A path as facts have it: without angle brackets, also where somebody wrote them.
fn without_brackets(path: String) -> String {
    match path.strip_prefix('<').and_then(|path| path.strip_suffix('>')) {
        Some(bare) => bare.to_owned(),
        None => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn select(methods: Option<&[Method]>, identities: Option<&[Identity]>) -> Selection {
        Selection { methods: methods.map(<[_]>::to_vec), identities: identities.map(<[_]>::to_vec) }
    }

    #[test]
    fn nothing_selected_is_the_policy_itself() {
        let policy = Arc::new(Policy::new("mx.example"));
        assert!(Arc::ptr_eq(&Selection::default().of(&policy).unwrap(), &policy));
    }

    #[test]
    fn a_method_that_is_off_reports_when_it_is_asked_for() {
        let mut policy = Policy::new("mx.example");
        policy.methods.clear();
        let selected = select(Some(&[Method::Spf]), None).of(&Arc::new(policy)).unwrap();
        assert_eq!(selected.mode(Method::Spf), Mode::Report);
        assert_eq!(selected.identities, Identity::ALL);
    }

    #[test]
    fn methods_of_later_versions_are_refused() {
        let policy = Arc::new(Policy::new("mx.example"));
        let error = select(Some(&[Method::Spf, Method::Challenge]), None).of(&policy).unwrap_err();
        let expected = SelectionError::NotInThisVersion { what: "method", word: "challenge" };
        assert_eq!(error, expected);
    }

    #[test]
    fn what_a_line_says_goes_before_what_the_flags_say() {
        let flags = select(Some(&[Method::Spf]), Some(&[Identity::Helo]));
        let line = select(None, Some(&[Identity::Mailfrom])).or(&flags);
        assert_eq!(line.methods, flags.methods);
        assert_eq!(line.identities.as_deref(), Some([Identity::Mailfrom].as_slice()));
    }

    #[test]
    fn angle_brackets_are_no_part_of_a_path() {
        let bare = |path: &str| without_brackets(path.to_owned());
        assert_eq!(bare("<>"), "");
        assert_eq!(bare("<a@b.example>"), "a@b.example");
        assert_eq!(bare("<a@b.example"), "<a@b.example");
    }
}
