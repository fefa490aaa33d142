//! Fuzz targets, on the stable compiler.

use crate::Result;

pub(crate) fn run(_: &[&str]) -> Result {
    Err("no fuzz targets yet".into())
}
