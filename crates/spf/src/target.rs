//! The names that terms are about, and the text that explains a fail: where macros are expanded.

use arrayvec::ArrayString;
use quivive_evidence::{Ahead, Evidence, RecordType};

use crate::conclusion::Stop;
use crate::domain_spec::{DomainSpec, NAME_OCTETS_MAX, target_name};
use crate::expand;
use crate::macro_string::{Letter, Letters, MacroString};
use crate::record::Modifier;
use crate::trace::Watch;
use crate::walk::{EXPLANATION_QUESTIONS_MAX, Walk};

/// The domain a term is about.
pub(crate) enum Target<'t> {
    Name(&'t str),
    /// No name that can be asked.
    Unusable,
    /// Not known yet.
    Unknown,
}

/// Room for a name that macros make, and for a dot that closes it.
pub(crate) type NameBuffer = ArrayString<{ NAME_OCTETS_MAX + 1 }>;

impl<'a, E: Evidence + ?Sized, W: Watch> Walk<'a, E, W> {
    /// The text at `exp=`, expanded (RFC 7208 section 6.2). Whatever is wrong with it, there is
    /// none: it never changes a result.
    pub(crate) fn explain(&mut self, modifier: &Modifier<'a>, domain: &str) -> Option<String> {
        // With anything missing the fail itself is not certain: nothing is asked for its text.
        if !self.missing.is_empty() {
            return None;
        }
        self.allow_more(EXPLANATION_QUESTIONS_MAX);
        let mut buffer = NameBuffer::new();
        let target = self.target(modifier.target, domain, &mut buffer);
        let Ok(Target::Name(name)) = target else { return None };
        let answer = self.evidence.txt(name);
        let answer = self.look_up(name, RecordType::Txt, Ahead::Forbidden, answer).ok()??;
        let [text] = answer.records().ok()? else { return None };
        let macros = MacroString::parse_explanation(str::from_utf8(&text.0).ok()?).ok()?;
        let validated_name = self.value_of_p(macros, domain).ok()??;
        let text = expand::expanded(macros, self.request, domain, validated_name);
        text.is_ascii().then_some(text)
    }

    /// The domain that a term is about; `buffer` is room for its name.
    #[inline]
    pub(crate) fn target<'t>(
        &mut self,
        spec: DomainSpec<'a>,
        domain: &str,
        buffer: &'t mut NameBuffer,
    ) -> Result<Target<'t>, Stop>
    where
        'a: 't,
    {
        match spec {
            DomainSpec::Literal(Some(name)) => Ok(Target::Name(name)),
            DomainSpec::Literal(None) => Ok(Target::Unusable),
            DomainSpec::Macros(macros) => self.expanded_target(macros, domain, buffer),
        }
    }

    fn expanded_target<'t>(
        &mut self,
        macros: MacroString<'a>,
        domain: &str,
        buffer: &'t mut NameBuffer,
    ) -> Result<Target<'t>, Stop> {
        if macros.uses(Letters::OF_THE_MESSAGE) {
            self.watch.depends_on_message();
        }
        // RFC 8616 section 4: a local part that is not ASCII can match nothing.
        let of_local_part = macros.letters().meet(Letters::OF_THE_LOCAL_PART);
        if of_local_part && !self.request.local_part.is_ascii() {
            return Ok(Target::Unusable);
        }
        let Some(validated_name) = self.value_of_p(macros, domain)? else {
            return Ok(Target::Unknown);
        };
        let fits = expand::expand(macros, self.request, domain, validated_name, buffer).is_ok();
        if !fits {
            let mut long = expand::expanded(macros, self.request, domain, validated_name);
            let name = if long.is_ascii() { target_name(&mut long) } else { None };
            buffer.clear();
            buffer.push_str(name.unwrap_or_default());
        }
        let name = if buffer.is_ascii() { target_name(buffer) } else { None };
        Ok(name.map_or(Target::Unusable, Target::Name))
    }

    /// What `%{p}` stands for, if it is used at all; none while that is not known.
    fn value_of_p(
        &mut self,
        macros: MacroString<'_>,
        domain: &str,
    ) -> Result<Option<&'a str>, Stop> {
        match macros.letters().contain(Letter::ValidatedName) {
            true => self.validated_name(domain),
            false => Ok(Some("")),
        }
    }
}
