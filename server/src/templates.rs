//! Templates that are built in and that an operator's folder may override file by file. Mails and pages both stand on this.
//!
//! With such a folder everything is read, compiled and (by the callers, with sample data) rendered once at start: a broken override stops the
//! start with its file and line, never a mail at night. What is built in has been through that in the tests; it is compiled when it is first
//! rendered.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Kwargs;
use minijinja::{Environment, Error, ErrorKind, State, UndefinedBehavior, Value};

use crate::locale::{Catalogues, Language};

/// A built-in template: its file name and its text.
pub type Source = (&'static str, &'static str);

/// One folder of templates (`mail` or `pages`), compiled.
#[derive(Debug)]
pub struct Templates {
    environment: Environment<'static>,
    folder: &'static str,
    overridden: BTreeMap<String, PathBuf>,
    plain: BTreeMap<String, String>,
}

/// Which template is broken, where, and how. Holds no value that was put into the template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    /// The operator's file, or `templates/<folder>/<name>` for a built-in one.
    pub file: String,
    /// The line, counted from one, where it is known.
    pub line: Option<usize>,
    /// What is wrong.
    pub problem: String,
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}, line {line}: {}", self.file, self.problem),
            None => write!(f, "{}: {}", self.file, self.problem),
        }
    }
}

impl std::error::Error for TemplateError {}

impl Templates {
    /// Compiles `sources` (what is no template, `*.css`, `*.js` and `*.svg`, is kept as it is), each replaced by `<overrides>/<folder>/<name>`
    /// where the operator has such a file. HTML templates escape what is put into them; a variable that does not exist is an error.
    /// `t("key", name=value)` is the message of that key in the language that the variable `lang` names.
    ///
    /// # Errors
    /// When `overrides` is not a folder, holds a file that overrides nothing, or one that cannot be read or compiled.
    pub fn load(
        folder: &'static str,
        sources: &'static [Source],
        catalogues: Catalogues,
        overrides: Option<&Path>,
    ) -> Result<Self, TemplateError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build();
        let broken = |error: minijinja::Error| TemplateError { file: folder.to_owned(), line: None, problem: error.to_string() };
        environment.set_syntax(syntax.map_err(broken)?);
        // Debug information would carry the values of variables, secrets among them, into errors.
        environment.set_debug(false);
        let say = move |state: &State<'_, '_>, key: &str, values: Kwargs| translate(&catalogues, state, key, &values);
        environment.add_function("t", say);
        let mut templates = Self { environment, folder, overridden: BTreeMap::new(), plain: BTreeMap::new() };
        let Some(root) = overrides else {
            templates.take_built_in(sources);
            return Ok(templates);
        };
        let mut texts: BTreeMap<&str, String> = sources.iter().map(|(name, text)| (*name, (*text).to_owned())).collect();
        templates.read_overrides(root, &mut texts)?;
        for (name, text) in texts {
            if is_plain(name) {
                templates.plain.insert(name.to_owned(), text);
                continue;
            }
            let compiled = templates.environment.add_template_owned(name.to_owned(), text);
            compiled.map_err(|error| templates.explain(name, &error, true))?;
        }
        Ok(templates)
    }

    fn take_built_in(&mut self, sources: &'static [Source]) {
        let plain = sources.iter().filter(|(name, _)| is_plain(name));
        self.plain.extend(plain.map(|(name, text)| ((*name).to_owned(), (*text).to_owned())));
        let find = |wanted: &str| sources.iter().find(|(name, _)| *name == wanted && !is_plain(name));
        self.environment.set_loader(move |wanted| Ok(find(wanted).map(|(_, text)| (*text).to_owned())));
    }

    fn read_overrides(&mut self, root: &Path, texts: &mut BTreeMap<&str, String>) -> Result<(), TemplateError> {
        let broken = |path: &Path, problem: String| TemplateError { file: path.display().to_string(), line: None, problem };
        if !root.is_dir() {
            return Err(broken(root, "there is no such folder".to_owned()));
        }
        let folder = root.join(self.folder);
        if folder.is_dir() { self.read_folder(&folder, "", texts) } else { Ok(()) }
    }

    /// Reads the files of a folder, whose names among the sources begin with `prefix`.
    fn read_folder(&mut self, folder: &Path, prefix: &str, texts: &mut BTreeMap<&str, String>) -> Result<(), TemplateError> {
        let broken = |path: &Path, problem: String| TemplateError { file: path.display().to_string(), line: None, problem };
        let entries = std::fs::read_dir(folder).map_err(|error| broken(folder, error.to_string()))?;
        for entry in entries {
            let path = entry.map_err(|error| broken(folder, error.to_string()))?.path();
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            // What editors and version control leave behind.
            if name.starts_with('.') || name.ends_with('~') {
                continue;
            }
            let name = format!("{prefix}{name}");
            let below = format!("{name}/");
            if path.is_dir() && texts.keys().any(|known| known.starts_with(&below)) {
                self.read_folder(&path, &below, texts)?;
                continue;
            }
            let known = texts.keys().copied().collect::<Vec<_>>().join(", ");
            let Some(text) = texts.get_mut(name.as_str()) else {
                return Err(broken(&path, format!("this overrides nothing; the templates are {known}")));
            };
            *text = std::fs::read_to_string(&path).map_err(|error| broken(&path, error.to_string()))?;
            self.overridden.insert(name, path);
        }
        Ok(())
    }

    /// A file that is no template, as it is; empty for a name that was not among the sources.
    #[must_use]
    pub fn plain(&self, name: &str) -> &str {
        self.plain.get(name).map_or("", String::as_str)
    }

    /// Renders one template.
    ///
    /// # Errors
    /// When the template asks for what is not there. The error names no value, so that no secret gets into a log.
    pub fn render(&self, name: &str, values: Value) -> Result<String, TemplateError> {
        self.run(name, values, false)
    }

    /// Renders one template with sample data; the error says all that is known.
    ///
    /// # Errors
    /// As [`Templates::render`].
    pub fn rehearse(&self, name: &str, values: Value) -> Result<String, TemplateError> {
        self.run(name, values, true)
    }

    fn run(&self, name: &str, values: Value, detailed: bool) -> Result<String, TemplateError> {
        let template = self.environment.get_template(name).map_err(|error| self.explain(name, &error, detailed))?;
        template.render(values).map_err(|error| self.explain(name, &error, detailed))
    }

    /// An error about `name` that the template engine did not find.
    #[must_use]
    pub fn fault(&self, name: &str, line: Option<usize>, problem: impl Into<String>) -> TemplateError {
        let file = match self.overridden.get(name) {
            Some(path) => path.display().to_string(),
            None => format!("templates/{}/{name}", self.folder),
        };
        TemplateError { file, line, problem: problem.into() }
    }

    fn explain(&self, name: &str, error: &minijinja::Error, detailed: bool) -> TemplateError {
        // An error inside an included template is the source of the one that the including template reports.
        let mut innermost = error;
        let mut next = std::error::Error::source(error);
        while let Some(source) = next {
            match source.downcast_ref::<minijinja::Error>() {
                Some(inner) if inner.name().is_some() => innermost = inner,
                _ => {}
            }
            next = source.source();
        }
        let problem = match innermost.detail() {
            Some(detail) if detailed => format!("{}: {detail}", innermost.kind()),
            _ => innermost.kind().to_string(),
        };
        self.fault(innermost.name().unwrap_or(name), innermost.line(), problem)
    }
}

/// Whether a file is served as it is.
fn is_plain(name: &str) -> bool {
    [".css", ".js", ".svg"].iter().any(|ending| name.ends_with(ending))
}

fn translate(catalogues: &Catalogues, state: &State<'_, '_>, key: &str, values: &Kwargs) -> Result<String, Error> {
    let language = state.lookup("lang").and_then(|lang| lang.as_str().and_then(Language::parse)).unwrap_or_default();
    let mut given = Vec::new();
    for name in values.args() {
        given.push((name, values.get::<Value>(name)?.to_string()));
    }
    let given: Vec<(&str, &str)> = given.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let said = catalogues.say(language, key, &given);
    // Names the message and never a value.
    said.ok_or_else(|| Error::new(ErrorKind::InvalidOperation, format!("no message {key} that these values fill")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use minijinja::context;

    fn load(folder: &'static str, sources: &'static [Source], overrides: Option<&Path>) -> Result<Templates, TemplateError> {
        Templates::load(folder, sources, Catalogues::load(None)?, overrides)
    }

    const SOURCES: &[Source] =
        &[("a.txt", "{% include \"b.txt\" %}"), ("b.txt", "built in {{ who }}"), ("c.html", "<p>{{ who }}</p>")];

    #[test]
    fn an_override_replaces_one_file_and_leaves_the_others() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("mail")).unwrap();
        std::fs::write(folder.path().join("mail/b.txt"), "ours {{ who }}").unwrap();
        std::fs::write(folder.path().join("mail/b.txt~"), "{% an editor's leftover").unwrap();
        let templates = load("mail", SOURCES, Some(folder.path())).unwrap();
        assert_eq!(templates.render("a.txt", context! { who => "<ann>" }).unwrap(), "ours <ann>");
        assert_eq!(templates.render("c.html", context! { who => "<ann>" }).unwrap(), "<p>&lt;ann&gt;</p>");
    }

    #[test]
    fn a_broken_override_is_named_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("mail")).unwrap();
        let file = folder.path().join("mail/b.txt");
        std::fs::write(&file, "one\ntwo {% if %}\n").unwrap();
        let error = load("mail", SOURCES, Some(folder.path())).unwrap_err();
        assert_eq!((error.file.as_str(), error.line), (file.to_str().unwrap(), Some(2)));
        std::fs::write(&file, "one\n\n{{ whom }}").unwrap();
        let templates = load("mail", SOURCES, Some(folder.path())).unwrap();
        let error = templates.rehearse("a.txt", context! { who => "ann" }).unwrap_err();
        assert_eq!((error.file.as_str(), error.line), (file.to_str().unwrap(), Some(3)));
    }

    #[test]
    fn a_file_that_overrides_nothing_and_a_missing_folder_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("mail")).unwrap();
        std::fs::write(folder.path().join("mail/typo.txt"), "").unwrap();
        let error = load("mail", SOURCES, Some(folder.path())).unwrap_err();
        assert!(
            error.to_string().contains("typo.txt: this overrides nothing; the templates are a.txt, b.txt, c.html"),
            "{error}"
        );
        assert!(load("mail", SOURCES, Some(&folder.path().join("nowhere"))).is_err());
        assert!(load("pages", SOURCES, Some(folder.path())).is_ok(), "no pages folder: nothing overridden");
    }

    #[test]
    fn an_error_while_serving_shows_no_value() {
        let templates = load("mail", &[("a.txt", "{{ link|int }}")], None).unwrap();
        let error = templates.render("a.txt", context! { link => "https://example.com/?code=SECRET" }).unwrap_err();
        assert!(!error.to_string().contains("SECRET"), "{error}");
    }

    #[test]
    fn messages_come_in_the_language_of_the_page_and_are_escaped() {
        const WORDS: &[Source] = &[("a.html", "{{ t(\"sign_in.title\", service=who) }}"), ("b.html", "{{ t(\"no.such\") }}")];
        let templates = load("pages", WORDS, None).unwrap();
        let say = |lang: &str| templates.render("a.html", context! { lang, who => "<ann>" }).unwrap();
        assert_ne!(say("en"), say("de"));
        assert!(say("de").contains("&lt;ann&gt;"), "{}", say("de"));
        let error = templates.rehearse("b.html", context! { lang => "en" }).unwrap_err();
        assert!(error.problem.contains("no message no.such"), "{error}");
    }
}
