//! A message being judged while its door goes on talking.

use quivive_evidence::Header;
use quivive_mail::EnhancedStatus;
use quivive_verdict::{Action, Stage, VerdictReply};
use tokio::task::JoinHandle;

use crate::check::{Examination, Judgement};
use crate::stream::at_once;

/// A judgement on its way. Nobody wants to know any more once this is dropped.
pub(crate) enum Judging {
    /// What is known is being judged.
    Running(Task),
    /// Judged as far as the facts reach, which is how the message is refused, if it is.
    Known(Box<Examination>, Option<VerdictReply>),
    /// Nothing more will become known.
    Done(Box<Judgement>),
    /// The judge was lost: a fault of ours, for which no message is let through or thrown away.
    Lost,
}

/// An examination at work in the background; it is ended when this is dropped.
pub(crate) struct Task(JoinHandle<Examination>);

impl Judging {
    /// Judges what is known at this stage. What needs nobody's answer is judged at once; else it
    /// goes on by itself.
    pub(crate) async fn begin(mut examination: Examination, stage: Stage) -> Self {
        let mut judged = Box::pin(async move {
            examination.enter(stage).await;
            examination
        });
        match at_once(judged.as_mut()).await {
            Some(examination) => Self::known(examination),
            None => Self::Running(Task(tokio::spawn(judged))),
        }
    }

    fn known(examination: Examination) -> Self {
        let verdict = examination.verdict();
        let refuses = matches!(verdict.action, Action::Reject | Action::Defer);
        Self::Known(Box::new(examination), refuses.then_some(verdict.reply))
    }

    /// Whether there is nothing to wait for.
    pub(crate) fn is_finished(&self) -> bool {
        match self {
            Self::Running(Task(task)) => task.is_finished(),
            Self::Known(..) | Self::Done(_) | Self::Lost => true,
        }
    }

    /// Waits for what is being judged, and says how it refuses the message, if it does.
    pub(crate) async fn refusal(&mut self) -> Option<VerdictReply> {
        if let Self::Running(Task(task)) = self {
            *self = match task.await {
                Ok(examination) => Self::known(examination),
                Err(error) => {
                    tracing::error!(%error, "the judge was lost");
                    Self::Lost
                }
            };
        }
        match self {
            Self::Known(_, refusal) => refusal.clone(),
            Self::Running(_) | Self::Done(_) | Self::Lost => Some(judge_lost()),
        }
    }

    /// Whether the methods want to see the message before the judgement is whole.
    pub(crate) fn wants_message(&self) -> bool {
        matches!(self, Self::Known(examination, _) if examination.needs(Stage::Header))
    }

    /// Judges the message whose header this is, and says how it is refused, if it is.
    pub(crate) async fn judge_message(
        &mut self,
        header: Header,
        recipients: Vec<String>,
    ) -> Option<VerdictReply> {
        *self = match std::mem::replace(self, Self::Lost) {
            Self::Known(mut examination, _) => {
                let facts = examination.facts_mut();
                facts.header = Some(header);
                facts.recipients = recipients;
                Self::begin(*examination, Stage::Message).await
            }
            other => other,
        };
        self.refusal().await
    }

    /// Nothing more will become known: what was judged is the judgement.
    pub(crate) fn finish(&mut self) {
        *self = match std::mem::replace(self, Self::Lost) {
            Self::Known(examination, _) => Self::Done(Box::new(examination.finish())),
            other => other,
        };
    }

    /// The judgement, once it is finished.
    pub(crate) fn judgement(&self) -> Option<&Judgement> {
        match self {
            Self::Done(judgement) => Some(judgement),
            Self::Running(_) | Self::Known(..) | Self::Lost => None,
        }
    }
}

impl Judging {
    /// As [`Judging::judgement`], for good.
    pub(crate) fn into_judgement(self) -> Option<Judgement> {
        match self {
            Self::Done(judgement) => Some(*judgement),
            Self::Running(_) | Self::Known(..) | Self::Lost => None,
        }
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn judge_lost() -> VerdictReply {
    VerdictReply {
        code: 451,
        enhanced: EnhancedStatus(4, 3, 0),
        text: "The sender could not be checked; please try again later".to_owned(),
    }
}
