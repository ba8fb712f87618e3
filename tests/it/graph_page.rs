//! The page of `paring graph --format html`, tried in a browser.

use serde_json::Value;

use crate::browser::Browser;
use crate::graph::{HOSTILE, chain, hostile, role, snapshot};
use crate::run::Folder;

/// A page of a snapshot, and a browser that shows it.
fn open(text: &str) -> Option<(Folder, Browser)> {
    let browser = Browser::open()?;
    let folder = Folder::new();
    folder.write("snapshot.json", text);
    let page = folder.paring(&["graph", "--snapshot", "snapshot.json", "--format", "html"]);
    assert_eq!(page.code, 0, "{}", page.stderr);
    let path = folder.write("page.html", page.stdout);
    browser.open_file(&path);
    Some((folder, browser))
}

/// No complaint of the browser, and nothing asked for but the page itself.
fn check_quiet(browser: &Browser) {
    assert_eq!(browser.complaints(), Vec::<String>::new());
    let requests = browser.requests();
    assert!(!requests.is_empty() && requests.iter().all(|url| url.ends_with("/page.html")), "{requests:?}");
}

fn path(browser: &Browser) -> (Vec<String>, Vec<String>) {
    (browser.texts(".picture .node.on text:not(.sub)"), browser.texts(".picture .edge.on .tag"))
}

#[test]
fn a_click_on_a_finding_shows_its_path_and_the_lines_behind_it() {
    let text = chain();
    let Some((_folder, browser)) = open(&text) else { return };

    browser.click(".finding", "role/writer");
    assert_eq!(browser.texts("#detail h2"), ["role/writer → itself, with more permissions"]);
    assert_eq!(browser.texts(".condition"), ["Works if aws:SourceIp allows: a snapshot cannot know it."]);

    browser.click(".finding", "role/first");
    assert_eq!(browser.texts("#detail h2"), ["role/first → role/boss"]);
    let (nodes, ways) = path(&browser);
    assert_eq!(
        (nodes.join(" "), ways.join(" ")),
        ("role/first role/second role/boss".into(), "sts-001 sts-001".into())
    );
    assert_eq!(browser.texts(".steps > li > h3"), ["1. role/first → role/second", "2. role/second → role/boss"]);
    let chosen = browser.texts(".finding[aria-current='true']");
    assert!(matches!(&chosen[..], [one] if one.contains("role/first")), "{chosen:?}");

    // The line that is named is the line of the snapshot where the statement stands.
    let place = browser.texts(".cited .place").remove(0);
    let line: usize = place.split(':').nth(1).unwrap().parse().unwrap();
    assert!(
        place.starts_with("snapshot.json:") && text.lines().nth(line - 1).unwrap().contains("sts:AssumeRole"),
        "{place}"
    );
    assert!(browser.texts(".cited pre").iter().all(|statement| statement.contains("sts:AssumeRole")));

    // A finding without a path says what it knows.
    browser.click(".finding", "2 functions");
    assert_eq!(browser.texts("#detail h2"), ["role/writer"]);
    assert_eq!(browser.texts("#detail section li").len(), 3, "what it rests on, and two functions");
    check_quiet(&browser);
}

#[test]
fn the_search_narrows_the_list_and_the_keys_walk_it() {
    let Some((_folder, browser)) = open(&chain()) else { return };
    let all = browser.texts(".finding").len();
    assert_eq!(browser.texts("#count"), [format!("{all} of {all} entries")]);

    browser.press("/writer critical");
    assert_eq!(browser.texts("#count"), [format!("0 of {all} entries")], "it hangs on a condition");
    browser.press(&"\u{e003}".repeat("critical".len()));
    browser.press("high");
    let found = browser.texts(".finding");
    assert!(matches!(&found[..], [one] if one.contains("iam-005")), "{found:?}");

    // Down into the list, Enter chooses; escape in the search shows everything again.
    browser.press("\u{e015}\u{e007}");
    assert_eq!(browser.texts("#detail h2"), ["role/writer → itself, with more permissions"]);
    browser.press("\u{e013}\u{e00c}");
    assert_eq!(browser.texts(".finding").len(), all);
    let focus = "return document.activeElement.id";
    assert_eq!(browser.run(focus, &[]), "search");
    browser.press("\u{e015}\u{e015}\u{e013}\u{e007}");
    let first = browser.run("return document.querySelectorAll('.finding')[0].getAttribute('aria-current')", &[]);
    assert_eq!(first, "true");
    check_quiet(&browser);
}

#[test]
fn hostile_names_are_text_and_nothing_else() {
    let Some((_folder, browser)) = open(&hostile()) else { return };
    let findings = browser.texts(".finding").len();
    assert!(findings >= HOSTILE.len(), "{findings}");
    for at in 0..findings {
        browser.run("document.querySelectorAll('.finding')[arguments[0]].click()", &[at.into()]);
    }
    browser.click(".finding", "</script><img");
    assert_eq!(browser.texts("#detail h2"), [format!("role/{} → role/boss", HOSTILE[0])]);
    let (nodes, _) = path(&browser);
    assert!(nodes[0].starts_with("role/</script><img"), "{nodes:?}");
    assert!(browser.texts(".cited .policy").contains(&HOSTILE[0].to_owned()));
    let seen = browser.texts("#list").join("\n");
    assert!(
        !seen.contains('\u{202e}') && !seen.contains('\u{200b}'),
        "letters that hide or turn others are shown as such"
    );
    let made =
        "return [window.pwned === undefined, document.images.length, document.scripts.length, location.protocol]";
    assert_eq!(browser.run(made, &[]), serde_json::json!([true, 0, 2, "file:"]));
    check_quiet(&browser);

    // Even where the script went wrong, the page would not make markup of text, nor take text for a script.
    for tried in
        ["document.body.innerHTML = '<img src=x>'", "document.body.setAttribute('onclick', 'window.pwned = 1')"]
    {
        let tried = format!("try {{ {tried}; return 'done'; }} catch (error) {{ return error.name; }}");
        assert_eq!(browser.run(&tried, &[]), "TypeError", "{tried}");
    }
}

/// The light and the dark page both have text that stands out from what is behind it, by the W3C's measure (WCAG 2, 4.5 : 1).
#[test]
fn text_can_be_read_on_light_and_dark() {
    let Some((_folder, browser)) = open(&chain()) else { return };
    browser.click(".finding", "role/first");
    let contrast = r"
        const light = (c) => { const [r, g, b] = c.match(/[\d.]+/g).slice(0, 3).map((v) => { v /= 255;
            return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
        const behind = (e) => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
            if (!/, 0\)$/.test(c)) return c; } return 'rgb(255, 255, 255)'; };
        const bad = [];
        for (const e of document.querySelectorAll('h1, h2, h3, h3 small, p, .more, .word, code, pre, summary, .note, .name, svg text')) {
            const box = e.closest('g')?.querySelector('rect'), style = getComputedStyle(e);
            const back = box ? getComputedStyle(box).fill : behind(e), text = e instanceof SVGElement ? style.fill : style.color;
            const [a, b] = [light(text), light(back)].sort((x, y) => y - x), ratio = (a + 0.05) / (b + 0.05);
            if (ratio < 4.5) bad.push(`${e.tagName}.${e.getAttribute('class')} ${text} on ${back}: ${ratio.toFixed(2)}`);
        }
        return [getComputedStyle(document.body).backgroundColor, ...new Set(bad)]";
    assert_eq!(browser.run(contrast, &[]), serde_json::json!(["rgb(255, 255, 255)"]));
    browser.prefer_dark();
    assert_eq!(browser.run(contrast, &[]), serde_json::json!(["rgb(15, 19, 24)"]));
}

/// A thousand roles, fifty of which can become everyone: too many ways for a page.
#[test]
fn a_large_account_stays_usable() {
    let service = r#"{"Service": "lambda.amazonaws.com"}"#;
    let pass = r#"{"Effect": "Allow", "Action": ["iam:PassRole", "lambda:*"], "Resource": "*"}"#;
    let none = r#"{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}"#;
    let mut roles: Vec<String> =
        (0..1_000).map(|n| role(&format!("role-{n:04}"), service, if n % 50 == 0 { pass } else { none })).collect();
    roles.push(role("boss", service, r#"{"Effect": "Allow", "Action": "*", "Resource": "*"}"#));
    let Some((folder, browser)) = open(&snapshot(&roles, "")) else { return };
    let summary = browser.texts("#summary").remove(0);
    assert!(summary.contains("1,001 principals"), "{summary}");
    assert!(folder.read("page.html").len() < 8 << 20, "a page of more than 8 MB");

    let timed = |script: &str| -> u64 {
        let timed = format!("const start = performance.now(); {script}; return Math.round(performance.now() - start)");
        browser.run(&timed, &[]).as_u64().unwrap()
    };
    // A target is found although it is in no row's text, and is the one that is shown.
    let search = "const s = document.getElementById('search'); s.value = arguments[0] ?? 'role-0777';
        s.dispatchEvent(new Event('input'))";
    let searched = timed(search);
    let clicked = timed("document.querySelector('.finding').click()");
    assert!(browser.texts("#detail h2").remove(0).ends_with("→ role/role-0777"), "{:?}", browser.texts("#detail h2"));
    assert!(searched < 3_000 && clicked < 3_000, "search {searched} ms, click {clicked} ms");
    let drawn: Value = browser.run("return document.querySelectorAll('svg .node').length", &[]);
    assert!(drawn.as_u64().unwrap() < 20, "the finding's part of the graph, not all of it: {drawn}");
    check_quiet(&browser);
}
