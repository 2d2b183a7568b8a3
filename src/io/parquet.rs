//! Parquet files: rows out of them, and columns into them. Without the feature `parquet` there are
//! none.

#[cfg(feature = "parquet")]
mod read;
#[cfg(not(feature = "parquet"))]
mod without;
#[cfg(feature = "parquet")]
mod write;

#[cfg(feature = "parquet")]
pub(super) use read::Rows;
#[cfg(not(feature = "parquet"))]
pub(super) use without::Rows;
#[cfg(not(feature = "parquet"))]
pub use without::TableWriter;
#[cfg(feature = "parquet")]
pub use write::TableWriter;
