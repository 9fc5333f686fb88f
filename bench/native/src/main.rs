//! A long-lived child of the benchmark: it reads a workload once, then runs over it when told to.
//!
//! Commands come a line each on standard input, answers go a line each to standard output:
//! `load FILE VERSION` → `ok RECORDS`; `check FILE` writes the transitions of the whole workload →
//! `ok TRANSITIONS REFUSED`; `run` and `rules` take the first half in and time the second, from
//! bytes to transitions and over columns alone → `WALL_NS CPU_NS`.
mod columns;
mod engine;
mod life;
mod rules;
mod sample;
mod state;
mod stopwatch;
mod workload;
mod write;

use std::fs;
use std::io::{self, BufRead, Write};

use columns::time_rules;
use engine::Engine;
use stopwatch::{Spent, Stopwatch};
use workload::Workload;

fn main() -> io::Result<()> {
    let mut workload = Workload::default();
    let mut version = String::new();
    let mut out = io::stdout();
    for line in io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["load", path, name] => {
                workload = Workload::read(&fs::read(path)?);
                version = (*name).to_string();
                writeln!(out, "ok {}", workload.records())?;
            }
            ["check", path] => {
                let mut engine = Engine::new(&version);
                for batch in &workload.batches {
                    engine.push(batch);
                }
                fs::write(path, &engine.out.text)?;
                writeln!(out, "ok {} {}", engine.out.count, engine.refused)?;
            }
            ["run"] => answer(&mut out, time_run(&workload, &version))?,
            ["rules"] => answer(&mut out, time_rules(&workload))?,
            _ => writeln!(out, "unknown command")?,
        }
        out.flush()?;
    }
    Ok(())
}

fn answer(out: &mut impl Write, spent: Spent) -> io::Result<()> {
    writeln!(out, "{} {}", spent.wall_ns, spent.cpu_ns)
}

/// From bytes to transitions, over the second half of the workload.
fn time_run(workload: &Workload, version: &str) -> Spent {
    let (first, second) = workload.halves();
    let mut engine = Engine::new(version);
    for batch in first {
        engine.push(batch);
        engine.out.clear();
    }
    let stopwatch = Stopwatch::start();
    for batch in second {
        engine.push(batch);
        std::hint::black_box(&engine.out.text);
        engine.out.clear();
    }
    stopwatch.spent()
}
