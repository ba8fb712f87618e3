//! Rows of a Parquet file, as Spark, Athena's UNLOAD and DuckDB write them; what the rows mean is told like those of CSV.
//!
//! The file is read row group by row group with one page of each column in memory. It is hostile: nothing is allocated
//! because the file claims a length, and what a file may unfold to is bounded by what it is. Lists and structures are not
//! read, and said so.
//!
//! Why not the crate `parquet`: it aborts on some damaged files, allocates what a page claims, and takes about a minute to
//! build (`docs/performance.md`).

mod codec;
mod column;
mod fault;
mod footer;
mod page;
mod runs;
mod text;
mod thrift;
mod values;

use std::io::SeekFrom;

pub(crate) use fault::Fault;
use fault::Why;
use footer::{Footer, Group, shown};

use self::column::{Budget, Column};
use super::{Found, NoRecord, Shape, Take, csv, take_summed};
use crate::feed::RECORD_LIMIT;
use crate::source::Seekable;
use crate::summed::{MARK, Summed};

/// Rows that a file may claim whatever its size; of more, each takes at least a byte, as no two of them are alike.
const ROWS_AT_LEAST: u64 = 1 << 20;

/// Whether bytes are the first of a Parquet file.
pub(crate) fn is_start(bytes: &[u8]) -> bool {
    bytes.starts_with(footer::MAGIC)
}

/// Hands every row's record to `sink`.
pub(crate) fn each(file: &mut dyn Seekable, sink: &mut dyn Take) -> (Shape, Option<Fault>) {
    let mut shape = Shape::default();
    let fault = rows(file, &mut shape, sink).err();
    (shape, fault)
}

fn rows(file: &mut dyn Seekable, shape: &mut Shape, sink: &mut dyn Take) -> Result<(), Fault> {
    let length = file.seek(SeekFrom::End(0)).map_err(Why::from)?;
    let footer = footer::read(file, length)?;
    let names: Vec<String> = footer.columns.iter().map(|leaf| leaf.name.clone()).collect();
    shape.holds_records = csv::names_records(&names);
    if !shape.holds_records {
        return Ok(());
    }
    let total: u64 = footer.groups.iter().map(|group| group.rows).sum();
    if total > length.max(ROWS_AT_LEAST) {
        return Err(Why::Damaged("it claims more rows than it has bytes").into());
    }
    let mut budget = Budget::new(length);
    for (number, group) in footer.groups.iter().enumerate() {
        group_rows(file, &footer, &names, (number, group), &mut budget, sink)?;
    }
    Ok(())
}

fn group_rows(
    file: &mut dyn Seekable,
    footer: &Footer,
    names: &[String],
    (number, group): (usize, &Group),
    budget: &mut Budget,
    sink: &mut dyn Take,
) -> Result<(), Fault> {
    let mut columns: Vec<Column<'_>> =
        footer.columns.iter().zip(&group.chunks).map(|(leaf, chunk)| Column::new(leaf, chunk)).collect();
    let mut cells = vec![Vec::new(); columns.len()];
    for row in 0..group.rows {
        for ((column, cell), name) in columns.iter_mut().zip(&mut cells).zip(names) {
            cell.clear();
            let read = column.next(file, budget, cell).and_then(|()| budget.spend(cell.len() + 1));
            read.map_err(|why| {
                let place = format!("row group {}, row {}, column `{}`", number + 1, row + 1, shown(name));
                Fault { why, place: Some(place) }
            })?;
        }
        take_row(names, &cells, sink);
    }
    if !columns.iter().all(Column::is_done) {
        let place = Some(format!("row group {}", number + 1));
        return Err(Fault { why: Why::Damaged("a column has more values than there are rows"), place });
    }
    budget.close(&columns);
    Ok(())
}

/// Hands a row's record, or its counts, to `sink`.
fn take_row(names: &[String], cells: &[Vec<u8>], sink: &mut dyn Take) {
    if cells.iter().map(Vec::len).sum::<usize>() > RECORD_LIMIT {
        sink.found(Found::NoRecord(NoRecord::TooLarge));
    } else if names.iter().any(|name| name == MARK) {
        let columns: Vec<(&str, &[u8])> =
            names.iter().map(String::as_str).zip(cells.iter().map(Vec::as_slice)).collect();
        take_summed(Summed::of(&columns).as_ref(), sink);
    } else {
        csv::take_record(&csv::record(names, cells), sink);
    }
}

#[cfg(test)]
mod tests;
