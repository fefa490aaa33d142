//! What people see while they wait: a bar on a terminal, nothing elsewhere.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar for so many steps, named in the plural.
pub(crate) fn bar(steps: usize, name: &str) -> ProgressBar {
    let template =
        format!("{{bar:40}} {{human_pos}} of {{human_len}} {name}, {{eta}} left {{msg}}");
    let style = ProgressStyle::with_template(&template).expect("the template is well formed");
    ProgressBar::with_draw_target(Some(steps as u64), ProgressDrawTarget::stderr())
        .with_style(style)
}
