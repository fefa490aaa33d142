use quivive_lmap::{dmp, drip, mail_from_mx, rmx};

use crate::settings::settings;

settings! {
    /// What MAIL-FROM MX leaves to the receiver.
    pub struct MailFromMx: Default {
        /// Judges the HELO name where the sender is null; otherwise nothing is judged then.
        helo_for_null_sender: bool = false; Live, Now;
    }
}

settings! {
    /// What the RMX drafts leave to the receiver.
    pub struct Rmx: Default {
        /// The number of the record type, which was never assigned. Without one only TXT records
        /// are asked for; `quivive check` then takes 65280.
        type_number: Option<usize> = None, in 1..=65_535, example "65280"; Live, Now;
        /// Takes entry type 8 in such records for `mx`, which has no number in the drafts.
        mx_entry_type: bool = false; Live, Now;
        /// Deals with a client that no entry matches as `fail` in [actions.rmx.mailfrom] says;
        /// otherwise it is marked, and only an entry that denies a client fails it.
        not_listed_acts: bool = true; Live, Now;
    }
}

settings! {
    /// What the DMP drafts leave to the receiver.
    pub struct Dmp: Default {
        /// Judges the HELO name of a client that the sender's domain refuses, and lets that decide:
        /// for forwarders. Whoever has a domain can list himself there.
        helo_alternative: bool = false; Live, Now;
        /// Leaves domains without DMP records alone; otherwise their HELO alternative is judged as
        /// after a refusal. To refuse them, write `none = "reject"` in [actions.dmp.mailfrom].
        accept_non_dmp: bool = true; Live, Now;
        /// Takes a name that both allows and denies for one that does neither, as the drafts have
        /// it; otherwise it is an error.
        strict: bool = false; Live, Now;
        /// Acts on the proposed extensions: alternative domains, and roles.
        extensions: bool = false; Live, Now;
    }
}

settings! {
    /// What the DRIP drafts leave to the receiver.
    pub struct Drip: Default {
        /// Asks the parents of a HELO name that says nothing, at most four.
        parents: bool = true; Live, Now;
        /// Takes every address for an answer, as the drafts have it; otherwise only 0.0.0.0 and ::
        /// refuse, and a wildcard of a whole zone says nothing.
        strict: bool = false; Live, Now;
    }
}

impl MailFromMx {
    pub(crate) fn rule(&self) -> mail_from_mx::Settings {
        mail_from_mx::Settings { helo_for_null_sender: self.helo_for_null_sender }
    }
}

impl Rmx {
    pub(crate) fn rule(&self) -> rmx::Settings {
        rmx::Settings {
            type_number: self.type_number.and_then(|number| u16::try_from(number).ok()),
            mx_entry_type: self.mx_entry_type,
        }
    }
}

impl Dmp {
    pub(crate) fn rule(&self) -> dmp::Settings {
        dmp::Settings {
            helo_alternative: self.helo_alternative,
            accept_non_dmp: self.accept_non_dmp,
            strict: self.strict,
            extensions: self.extensions,
        }
    }
}

impl Drip {
    pub(crate) fn rule(&self) -> drip::Settings {
        drip::Settings { parents: self.parents, strict: self.strict }
    }
}
