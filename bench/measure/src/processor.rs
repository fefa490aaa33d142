use std::time::Duration;

use cpu_time::ThreadTime;

/// The processor time of this thread since it began.
pub fn processor_time() -> Duration {
    ThreadTime::now().as_duration()
}
