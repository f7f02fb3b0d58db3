//! Tables for spreadsheets (RFC 4180). What people typed stays text there: a spreadsheet takes a cell that begins with
//! `=`, `+`, `-` or `@` for a formula, and a formula can send the other cells away (OWASP, "CSV injection").

/// What a file begins with, so that Excel reads it as UTF-8.
pub const BEGIN: &str = "\u{feff}";

/// One row with its line break. Every cell is quoted.
#[must_use]
pub fn row<'a>(cells: impl IntoIterator<Item = &'a str>) -> String {
    let mut row = String::new();
    for cell in cells {
        if !row.is_empty() {
            row.push(',');
        }
        row.push('"');
        if is_formula(cell) {
            // Spreadsheets take the rest for text.
            row.push('\'');
        }
        row.push_str(&cell.replace('"', "\"\""));
        row.push('"');
    }
    row.push_str("\r\n");
    row
}

/// Whether a spreadsheet may compute with the cell: it begins with a tab or a line break, or, after anything that no reader
/// sees, with one of the characters that begin a formula, in any width.
fn is_formula(cell: &str) -> bool {
    let seen = cell.trim_start_matches(|c: char| {
        c.is_whitespace()
            || crate::text::is_control(c)
            || crate::text::is_invisible(c)
            || matches!(c, '\u{200c}' | '\u{200d}')
    });
    cell.starts_with(crate::text::is_control)
        || seen.starts_with([
            '=', '+', '-', '@', '＝', '＋', '－', '＠', '﹦', '﹢', '﹣', '﹫', '−',
        ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_that_a_spreadsheet_would_compute_are_text() {
        for (cell, neutral) in [
            ("=1+1", true),
            ("+447700900982", true),
            ("-1", true),
            ("@SUM(A1)", true),
            ("\tx", true),
            ("\rx", true),
            ("\nx", true),
            ("  =1+1", true),
            ("\n \t=1+1", true),
            ("\u{a0}=1+1", true),
            ("\u{3000}＝1", true),
            ("\u{feff}=1+1", true),
            ("\u{200d}=1+1", true),
            ("＝1+1", true),
            ("＋1", true),
            ("－1", true),
            ("＠x", true),
            ("﹣1", true),
            ("−1", true),
            ("Zoë O'Brien", false),
            ("1 = 1", false),
            ("07700 900982", false),
            (" x", false),
            ("", false),
        ] {
            assert_eq!(is_formula(cell), neutral, "{cell:?}");
            let row = row([cell]);
            assert_eq!(row.starts_with("\"'"), neutral, "{row:?}");
        }
    }

    #[test]
    fn quotes_commas_and_line_breaks_stay_in_their_cell() {
        assert_eq!(
            row(["a,b", "say \"hi\"", "one\ntwo", ""]),
            "\"a,b\",\"say \"\"hi\"\"\",\"one\ntwo\",\"\"\r\n"
        );
    }
}
