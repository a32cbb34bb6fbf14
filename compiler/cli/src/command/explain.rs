//! `topoc explain`: a rule's page, the list of rules, the fields of blocks, the schemas of formats.

use crate::CLEAN;
use crate::args::{ExplainArgs, Schema};
use crate::failure::Failure;
use crate::terminal::{Io, Paint};
use std::io::{self, Write};
use topoc_compiler::diagnostic::Severity;
use topoc_compiler::language::{self, BLOCKS, Block, Field};
use topoc_compiler::rules::{self, Level, RULES, Rule};
use topoc_compiler::suggest::suggest;

pub(super) fn run(args: &ExplainArgs, io: &mut Io<'_>) -> Result<u8, Failure> {
    let paint = Paint(io.out.colour);
    if let Some(schema) = args.schema {
        io.stdout.write_all(text(schema).as_bytes())?;
        return Ok(CLEAN);
    }
    match (&args.rule, &args.fields) {
        (Some(rule), _) => page(find(rule)?, paint, &mut io.stdout)?,
        (None, Some(Some(kind))) => fields(block(kind)?, paint, &mut io.stdout)?,
        (None, Some(None)) => all_fields(paint, &mut io.stdout)?,
        (None, None) => list(paint, &mut io.stdout)?,
    }
    Ok(CLEAN)
}

fn text(schema: Schema) -> &'static str {
    match schema {
        Schema::Check => include_str!("../../../../schemas/check-1.schema.json"),
        Schema::Manifest => include_str!("../../../../schemas/manifest-1.schema.json"),
        Schema::Baseline => include_str!("../../../../schemas/baseline-1.schema.json"),
        Schema::Event => include_str!("../../../../schemas/event-1.schema.json"),
        Schema::Admin => include_str!("../../../../schemas/admin-1.schema.json"),
    }
}

fn find(wanted: &str) -> Result<&'static Rule, Failure> {
    rules::find(wanted).ok_or_else(|| {
        let failure = Failure::new(format!("there is no rule `{wanted}`"));
        match suggest(wanted, RULES.iter().flat_map(|rule| [rule.name, rule.code])) {
            Some(near) => {
                failure.help(format!("did you mean `topoc explain {near}`? `topoc explain --all` lists them"))
            }
            None => failure.help("`topoc explain --all` lists them"),
        }
    })
}

fn block(wanted: &str) -> Result<&'static Block, Failure> {
    language::block_of(wanted).ok_or_else(|| {
        let failure = Failure::new(format!("there is no kind of block `{wanted}`"));
        match suggest(wanted, with_fields().map(|block| block.keyword)) {
            Some(near) => failure.help(format!("did you mean `topoc explain --fields {near}`?")),
            None => failure.help(format!("those with fields are {}", keywords())),
        }
    })
}

fn with_fields() -> impl Iterator<Item = &'static Block> {
    BLOCKS.iter().filter(|block| !language::fields(block.kind).is_empty())
}

fn keywords() -> String {
    with_fields().map(|block| block.keyword).collect::<Vec<_>>().join(", ")
}

/// On a terminal with light styling, elsewhere as it is: Markdown.
fn page(rule: &Rule, paint: Paint, out: &mut impl Write) -> io::Result<()> {
    let heading = format!("{} {}", rule.code, rule.name);
    writeln!(out, "{}: {}", paint.bold(&heading), rule.summary)?;
    let (level, fix) = (level(rule.level, paint), rule.fix.word());
    writeln!(out, "level: {level}   fix: {fix}   since: {}", rule.since)?;
    let body = rule.page.trim();
    // The page's title is the line above.
    let body = body.strip_prefix('#').and_then(|rest| rest.split_once('\n')).map_or("", |(_, body)| body).trim();
    if body.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    if paint.0 { styled(body, paint, out) } else { writeln!(out, "{body}") }
}

fn styled(page: &str, paint: Paint, out: &mut impl Write) -> io::Result<()> {
    let mut code = false;
    for line in page.lines() {
        if line.starts_with("```") {
            code = !code;
        } else if code {
            writeln!(out, "    {}", code_line(line, paint))?;
        } else if let Some(heading) = line.strip_prefix('#') {
            writeln!(out, "{}", paint.bold(heading.trim_start_matches('#').trim()))?;
        } else {
            writeln!(out, "{}", inline(line, paint))?;
        }
    }
    Ok(())
}

/// Comments step back, so that the code is seen.
fn code_line(line: &str, paint: Paint) -> String {
    match line.split_once(" // ") {
        Some((code, comment)) => format!("{code} {}", paint.dim(&format!("// {comment}"))),
        None => line.to_owned(),
    }
}

fn inline(line: &str, paint: Paint) -> String {
    let pieces: Vec<&str> = line.split('`').collect();
    // Without a partner a backquote is just that.
    if pieces.len().is_multiple_of(2) {
        return line.to_owned();
    }
    let shown = |(index, piece): (usize, &&str)| if index % 2 == 1 { paint.cyan(piece) } else { (*piece).to_owned() };
    pieces.iter().enumerate().map(shown).collect()
}

/// Hygiene is what it is without a profile.
fn level(level: Level, paint: Paint) -> String {
    let severity = level.severity();
    match severity {
        Severity::Error => paint.red(severity.word()),
        Severity::Warning => paint.yellow(severity.word()),
        Severity::Note => paint.cyan(severity.word()),
    }
}

fn list(paint: Paint, out: &mut impl Write) -> io::Result<()> {
    let width = RULES.iter().map(|rule| rule.name.len()).max().unwrap_or(0);
    writeln!(out, "{}", paint.bold(&format!("{:8}  {:width$}  {:7}  {:6}  summary", "code", "name", "level", "fix")))?;
    for rule in RULES {
        let level = level(rule.level, paint);
        let (code, name, fix) = (rule.code, rule.name, rule.fix.word());
        let gap = " ".repeat(7usize.saturating_sub(rule.level.severity().word().len()));
        writeln!(out, "{code}  {name:width$}  {level}{gap}  {fix:6}  {}", rule.summary)?;
    }
    Ok(())
}

fn all_fields(paint: Paint, out: &mut impl Write) -> io::Result<()> {
    for (index, block) in with_fields().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        fields(block, paint, out)?;
    }
    Ok(())
}

fn fields(block: &Block, paint: Paint, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{}: {}", paint.bold(block.keyword), block.doc)?;
    writeln!(out, "  {}", paint.dim(block.example))?;
    let mut fields: Vec<&Field> = language::fields(block.kind).values().collect();
    fields.sort_by_key(|field| field.rank());
    if fields.is_empty() {
        return writeln!(out, "  no fields of its own");
    }
    let rows: Vec<[String; 5]> = fields.into_iter().map(row).collect();
    let heading = ["field", "type", "default", "in ActiveMQ", "meaning"].map(str::to_owned);
    let widths: [usize; 5] = std::array::from_fn(|column| {
        let cells = rows.iter().chain([&heading]).filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    });
    writeln!(out, "  {}", paint.dim(&line(&heading, &widths, Paint(false))))?;
    rows.iter().try_for_each(|row| writeln!(out, "  {}", line(row, &widths, paint)))
}

/// A default that takes more room than this stands behind the meaning, so that the columns stay side by side.
const LONG_DEFAULT: usize = 20;

fn row(field: &Field) -> [String; 5] {
    let mut meaning = field.doc.to_owned();
    let default = match field.default_words() {
        long if long.chars().count() > LONG_DEFAULT => {
            meaning += &format!(" (default: {long})");
            "*".to_owned()
        }
        short => short,
    };
    let real = if field.real.is_empty() { "-" } else { field.real };
    [field.name.clone(), field.ty.words(), default, real.to_owned(), meaning.trim_start().to_owned()]
}

fn line(row: &[String; 5], widths: &[usize; 5], paint: Paint) -> String {
    let [name, ty, default, real, doc] = row;
    let [name_width, ty_width, default_width, real_width, _] = widths;
    let name = paint.cyan(&format!("{name:name_width$}"));
    format!("{name}  {ty:ty_width$}  {default:default_width$}  {real:real_width$}  {doc}").trim_end().to_owned()
}
