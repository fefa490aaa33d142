//! How packed cases become rows, when there is time for it.

use std::ops::ControlFlow;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{BACK_OFF_MAX, TURN, Writer};
use crate::error::Fault;
use crate::packs;
use crate::queue::BATCH_MAX;

/// How long is written out before the store ends: after a flood it may take longer, and mail waits
/// for the process to begin anew.
const END_PATIENCE: Duration = Duration::from_secs(5);

/// How long another process has to begin its transaction between two of many.
const BREATH: Duration = Duration::from_millis(2);

impl Writer {
    /// Packed cases wait a while: more may come.
    pub(super) fn unpack_soon(&mut self) {
        let at = Instant::now() + self.shared.tuning.unpack_every;
        self.unpack_at.get_or_insert(at);
    }

    /// Writes out cases that are packed when there is no flood. To write what comes goes before.
    pub(super) async fn unpack(&mut self) {
        self.unpack_at = None;
        if std::mem::take(&mut self.is_flood) || !self.pending.is_empty() {
            return self.unpack_soon();
        }
        if self.unpack_down_to(0, Some(Instant::now() + TURN)).await.is_break() {
            self.shared.measure();
            return self.note_oldest().await;
        }
        self.unpack_at.get_or_insert(Instant::now());
    }

    /// Writes out cases that are packed, until there are no more than so many, or until then:
    /// whether there may be more.
    pub(super) async fn unpack_down_to(
        &mut self,
        left: u64,
        until: Option<Instant>,
    ) -> ControlFlow<()> {
        while until.is_none_or(|until| Instant::now() < until) {
            let Ok(database) = self.usable().await else { return ControlFlow::Break(()) };
            let written = match packs::cases(&mut database.connection).await {
                Ok(packed) if packed <= left => return ControlFlow::Break(()),
                Ok(_) => packs::write_out(database).await,
                Err(error) => Err(error),
            };
            self.tell_lost();
            if let Err(error) = written {
                self.not_unpacked(&error).await;
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    }

    /// Writes out what is packed, as far as it comes in a time for which others can wait.
    pub(super) async fn unpack_at_end(&mut self) {
        if let Err(error) = self.unpack_all(Some(Instant::now() + END_PATIENCE)).await {
            tracing::warn!("packed cases wait for the next start: {error}");
        }
    }

    /// Writes out all that is packed now, and what waits in between; nothing more from then on.
    pub(super) async fn unpack_all(&mut self, until: Option<Instant>) -> Result<(), sqlx::Error> {
        let Some(database) = &mut self.database else { return Ok(()) };
        let last = packs::last(&mut database.connection).await?;
        while until.is_none_or(|until| Instant::now() < until)
            && let Some(database) = &mut self.database
            && packs::are_up_to(&mut database.connection, last).await?
            && packs::write_out(database).await?
        {
            self.tell_lost();
            if self.shared.queue.len() >= BATCH_MAX {
                self.write_waiting().await;
            }
            // Another process may want to write.
            sleep(BREATH).await;
        }
        Ok(())
    }

    /// Tells of packed cases that are lost.
    pub(super) fn tell_lost(&mut self) {
        let Some(database) = &mut self.database else { return };
        let lost = std::mem::take(&mut database.lost);
        if lost > 0 {
            self.shared.lost(lost, "they were packed, and cannot be read or written");
        }
    }

    /// Packed cases cannot be written out now. They are found, and others may be written.
    async fn not_unpacked(&mut self, error: &sqlx::Error) {
        self.unpack_at = Some(Instant::now() + BACK_OFF_MAX);
        match Fault::of(error) {
            Fault::Damage => {
                self.fault(error).await;
            }
            Fault::Busy => tracing::debug!("another process is writing: cases stay packed"),
            Fault::Surroundings | Fault::Content => {
                self.note(&format!("packed cases cannot be written out: {error}"));
            }
        }
    }
}
