//! The forwarder that a configuration describes.

use quivive_config::{Config, Domain, Door};
use quivive_srs::{Bounces, Forwarder, Policy, Rules, SECRET_OCTETS_ADVISED, Secrets, Srs};

use crate::error::Error;
use crate::secret_file;

/// What rewrites addresses, if the configuration has it. Its secrets are read now.
pub(crate) fn forwarder(config: &Config) -> Result<Option<Forwarder>, Error> {
    let (Some(domain), Some(path)) = (&config.srs.domain, &config.srs.secret_file) else {
        return Ok(None);
    };
    let secrets = secret_file::read(path)?;
    warn_of_short_ones(&secrets);
    let srs = Srs::new(&secrets, rules(&config.srs));
    Ok(Some(Forwarder::new(srs, policy(config, domain))))
}

fn rules(srs: &quivive_config::Srs) -> Rules {
    Rules {
        separator: srs.separator,
        hash_length: srs.hash_length,
        hash_length_min: srs.hash_length_min,
        max_age_days: u16::try_from(srs.max_age_days).unwrap_or(u16::MAX),
        alphabet: srs.alphabet,
        always_rewrite: false,
        signs: srs.dialect,
        believes: srs.believed_dialects.clone(),
    }
}

fn policy(config: &Config, domain: &Domain) -> Policy {
    let srs = &config.srs;
    let names = |domains: &[Domain]| domains.iter().map(Domain::to_string).collect();
    // Whose mail comes to us is ours.
    let taken = config.listen.iter().filter(|listen| listen.door == Door::Gateway);
    let taken = taken.flat_map(|listen| &listen.recipient_domains);
    Policy {
        domain: domain.to_string(),
        former_domains: names(&srs.former_domains),
        own_domains: srs.own_domains.iter().chain(taken).map(Domain::to_string).collect(),
        only: names(&srs.only_domains),
        except: names(&srs.except_domains),
        unsigned_domains: names(&srs.unsigned_domains),
        local_part_max: srs.local_part_max,
        bounces: if srs.bounces_only { Bounces::Only } else { Bounces::OrAnything },
    }
}

fn warn_of_short_ones(secrets: &Secrets) {
    for secret in secrets.iter().filter(|secret| secret.key().len() < SECRET_OCTETS_ADVISED) {
        tracing::warn!(
            secret = %secret.id(),
            "a secret of SRS is shorter than {SECRET_OCTETS_ADVISED} octets and may be guessed; \
             `quivive srs key new` makes a better one"
        );
    }
}
