//! The closed list of what can be wrong.

use core::fmt;
use std::io;

use thiserror::Error;

use crate::data::Columns;

/// One list of faults, each with its label, its text for the record, and its
/// text for the operator. Three uses of one line cannot drift apart.
macro_rules! faults {
    ($(
        $(#[$doc:meta])*
        $name:ident $({ $($(#[$field_doc:meta])* $field:ident: $type:ty),* $(,)? })?
            = $label:literal, $record:literal, $text:literal;
    )*) => {
        /// What is wrong with a dataset.
        #[derive(Debug, Clone, PartialEq, Error)]
        #[non_exhaustive]
        pub enum Fault {
            $(
                $(#[$doc])*
                #[error($text)]
                $name $({ $($(#[$field_doc])* $field: $type),* })?,
            )*
        }

        impl Fault {
            /// A closed set of names, for metrics and logs.
            pub fn label(&self) -> &'static str {
                match self {
                    $(Self::$name { .. } => $label,)*
                }
            }

            /// What kind of fault it is, without anything of the data.
            pub(super) fn kind(&self) -> &'static str {
                match self {
                    $(Self::$name { .. } => $record,)*
                }
            }
        }
    };
}

faults! {
    /// The job names a dataset that this party does not have.
    Unknown {
        /// The names in the configuration.
        known: Names,
    } = "unknown_dataset",
        "this party's configuration has no dataset of this name",
        "the job needs it, and this party's configuration does not have it (it has: \
         {known}): add it under [datasets], or have the job name another";
    /// The party holds the other half.
    WrongHalf {
        /// What this party's configuration says it holds.
        held: Columns,
        /// What its side in the job takes.
        needed: Columns,
        /// That side's name.
        side: &'static str,
    } = "wrong_half",
        "this party's configuration says that it holds the other half: exchange the parties in \
         the job, or correct the configuration",
        "this party holds its {held}, the job needs its {needed} (this party is {side}): give \
         the dataset columns = \"{needed}\" if it has them, or exchange the parties in the job";
    /// The configuration of the dataset contradicts itself.
    Configuration {
        /// How, and what would be right.
        problem: String,
    } = "dataset_configuration",
        "its configuration at this party is not right",
        "its configuration is not right: {problem}";
    /// Parquet was left out of this build.
    WithoutParquet = "without_parquet",
        "it is a Parquet file, which this party's build of the software does not read",
        "this build does not read Parquet: build it with the cargo feature 'parquet', or give \
         the data as CSV";
    /// The file cannot be read.
    Unreadable {
        /// What the operating system says.
        reason: String,
    } = "unreadable",
        "its file cannot be read",
        "cannot be read: {reason}; see that it is there and that this process may read it";
    /// The file ends early.
    Truncated {
        /// What was being read.
        what: &'static str,
    } = "truncated",
        "its file ends early",
        "the file ends in the middle of {what}: it is cut short; fetch it again";
    /// The file is not what its configuration says.
    Format {
        /// What is wrong with it.
        problem: String,
    } = "format",
        "its file is not of the format that this party's configuration says",
        "{problem}: correct the file, or the dataset's source";
    /// There are no rows.
    Empty = "empty",
        "it has no rows",
        "it has no rows: give it some, or name another file";
    /// A column is not there.
    MissingColumn {
        /// The columns that are.
        known: Names,
    } = "missing_column",
        "a column that this party's configuration names is not there",
        "there is no such column (there are: {known}): correct the file, or the dataset's \
         configuration";
    /// A line has more or fewer cells than the first.
    Ragged {
        /// Cells of the first.
        expected: u64,
        /// Cells of this one.
        got: u64,
    } = "ragged",
        "a row has another number of cells than the first",
        "has {got} cells, the first line has {expected}: correct the line (is a quote or a \
         delimiter missing?)";
    /// Not UTF-8.
    NotText = "not_text",
        "a cell is no UTF-8 text",
        "is no UTF-8 text: save the file as UTF-8";
    /// A string in a numeric column.
    NotANumber {
        /// What stands there.
        value: String,
    } = "not_a_number",
        "a cell of a numeric column is no number",
        "'{value}' is no number: correct it, list it under missing_values, or give the column \
         categories";
    /// NaN or infinite.
    NotFinite {
        /// What stands there.
        value: String,
    } = "not_finite",
        "a cell of a numeric column is not finite",
        "'{value}' is not finite: correct it, or list it under missing_values";
    /// A cell without a value.
    MissingValue = "missing_value",
        "a value is missing, and nothing says what to put in its place",
        "the value is missing: fill it in, or declare what to do with missing = \"mean\" or a \
         number";
    /// No value to take a mean of.
    NothingPresent = "nothing_present",
        "a column has no value in any row that is learnt from",
        "has no value in any row that is learnt from, so that there is no mean: set missing to a \
         number, or leave the column out";
    /// A value that is none of the categories.
    Category {
        /// What stands there.
        value: String,
        /// What might.
        categories: Names,
    } = "category",
        "a value is none of its column's declared categories",
        "'{value}' is none of the declared categories ({categories}): correct it, or declare it";
    /// A fitted category that no training row has.
    Unseen {
        /// The category.
        value: String,
    } = "unseen_category",
        "a value stands in no row that is learnt from, and categories are to be fitted",
        "'{value}' stands in no row that is learnt from: declare the column's categories in \
         place of \"fitted\"";
    /// More categories than a network could take.
    TooManyCategories {
        /// The limit.
        limit: usize,
    } = "too_many_categories",
        "a column has too many categories",
        "has more than {limit} values: it is no categorical column; leave it out";
    /// A label outside the classes.
    Label {
        /// What stands there.
        value: String,
        /// The classes.
        classes: Names,
    } = "label",
        "a label is none of the classes",
        "label '{value}' is none of the classes ({classes}): correct it, or the dataset's classes";
    /// The job has another number of classes.
    Classes {
        /// Declared for the dataset.
        declared: usize,
        /// The job's `network.classes`.
        job: usize,
    } = "classes",
        "it has another number of classes than the job's network",
        "has {declared} classes, the job's network has {job}: set network.classes to {declared}, \
         or name another dataset";
    /// An id in two rows.
    DuplicateId {
        /// The row where it stands first, from 1.
        first: u64,
    } = "duplicate_id",
        "an id stands in two rows",
        "its id stands in row {first} already: each row needs an id of its own";
    /// The job matches rows by an identifier that this dataset does not have.
    NoIdentifier {
        /// What the job wants.
        wanted: String,
        /// What the dataset has.
        has: String,
    } = "no_identifier",
        "it does not have the identifier by which the job matches rows",
        "the job matches rows on '{wanted}', and the dataset has {has}: give the dataset id = \
         COLUMN and identifier = \"{wanted}\", or correct data.match_on in the job";
    /// The network takes another number of features.
    Inputs {
        /// What the dataset gives.
        columns: usize,
        /// The job's `network.inputs`.
        inputs: usize,
    } = "inputs",
        "it gives another number of features than the job's network takes",
        "gives {columns} features, the job's network takes {inputs}: set network.inputs to \
         {columns}, or change the dataset's features";
    /// The model was trained on other columns.
    OtherColumns {
        /// What differs.
        problem: String,
    } = "other_columns",
        "its columns are others than those that the model was trained on",
        "{problem}: declare the columns as they were for the training, in the same order";
    /// The model was trained with other classes.
    OtherClasses {
        /// What the dataset declares.
        declared: Names,
        /// What was declared then.
        trained: Names,
    } = "other_classes",
        "its classes are others, or in another order, than those that the model was trained on",
        "its classes are {declared}, the model was trained on {trained}: declare them as they \
         were then, in the same order";
    /// A value that standardisation cannot carry.
    Value {
        /// What stands there.
        value: f64,
    } = "value",
        "a value is so far from its column's others that it cannot be standardised",
        "{value} is so far from the column's other values that it cannot be standardised: \
         correct or remove the row";
    /// All rows, if there are any, are set apart.
    NothingToLearn {
        /// Its rows.
        rows: usize,
        /// Those that test the model.
        test: usize,
    } = "nothing_to_learn",
        "the job sets all of its rows apart: lower data.test_fraction (or test_rows), or give \
         more rows",
        "has {rows} rows, of which the job sets {test} apart by data.test_fraction (or test_rows) \
         and all others by data.validation_fraction, so that none are left to learn from: lower \
         them, or give more rows";
    /// None of its rows is asked about.
    NothingAsked {
        /// Its rows.
        rows: usize,
    } = "nothing_asked",
        "none of its rows is what the job's data.rows asks about",
        "has {rows} rows, and the training would have dealt none of them to the part that \
         data.rows names: name another part, or leave it out for all";
    /// The space for data that does not fit into memory.
    Spool {
        /// What the operating system says.
        reason: String,
    } = "spool",
        "it is larger than memory_mb, and there is no room for it on this party's disk",
        "is larger than memory_mb, and cannot be written to the state directory: {reason}; make \
         room, or raise memory_mb";
}

/// Names in a text: the first of them, if there are many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names(pub Vec<String>);

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MOST: usize = 20;
        let Self(names) = self;
        if names.is_empty() {
            return f.write_str("none");
        }
        let shown: Vec<&str> = names.iter().take(MOST).map(String::as_str).collect();
        f.write_str(&shown.join(", "))?;
        match names.len().saturating_sub(MOST) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

/// What an error of reading says about a file.
pub(in crate::data) fn unreadable(error: &io::Error, what: &'static str) -> Fault {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Fault::Truncated { what },
        // Decompressors say so when the bytes make no sense.
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => Fault::Format {
            problem: format!("the gzip stream is damaged ({error})"),
        },
        _ => Fault::Unreadable {
            reason: error.to_string(),
        },
    }
}
