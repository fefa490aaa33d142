use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use quivive_contract::{Query, Selection};

use crate::batch;
use crate::command_line::{Check, Global};
use crate::error::Error;
use crate::examiner::{Examiner, read_message};
use crate::json::{self, JudgementJson};
use crate::{grants, terminal, text, world};

/// Judges one message, or with `--batch` one for each line.
pub(crate) fn run(global: &Global, check: Check) -> Result<ExitCode, Error> {
    let selection = Selection { methods: check.methods(), identities: check.identities };
    selection.check()?;
    let config = world::config(global)?;
    let mut policy = config.policy();
    // Without a configuration nobody has said how logins are dealt with: everything is shown.
    policy.practice.check_logins |= global.config.is_none();
    // A lone check costs nobody anything: it asks for records of RMX's own type too.
    policy.settings.rmx.type_number.get_or_insert(quivive_lmap::rmx::PRIVATE_TYPE);
    let receiver = match check.receiver {
        Some(receiver) => {
            // Results are written under our own name, unless they have one to themselves.
            if config.authserv_id.as_str() == config.hostname.as_str() {
                policy.authserv_id.clone_from(&receiver);
            }
            receiver
        }
        None => config.hostname.as_str().to_owned(),
    };
    let resolver = world::resolver(global, &config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    // What this program uses is not what the daemon's users do: it counts for itself.
    let tables = runtime.block_on(grants::tables(&config.binding, Arc::default()))?;
    let examiner = Examiner::new(policy, resolver, receiver, check.now).with_tables(tables);
    if let Some(path) = check.batch {
        return runtime.block_on(batch::run(examiner, selection, &path));
    }
    let header = check.message.as_deref().map(read_message).transpose()?;
    let (Some(ip), Some(helo), Some(mail_from)) = (check.ip, check.helo, check.mail_from) else {
        return Err(Error::Usage("--ip, --helo and --mail-from belong together"));
    };
    let Check { rcpt, auth_user, submitter, .. } = check;
    let query = Query { ip, helo, mail_from, rcpt, auth_user, submitter, header, selection };
    let judgement = runtime.block_on(examiner.examine(query))?;
    if global.json {
        std::io::stdout().lock().write_all(&json::line(&JudgementJson::new(&judgement)))?;
    } else {
        let mut out = terminal::stdout();
        text::write(&mut out, &judgement)?;
    }
    Ok(ExitCode::SUCCESS)
}
