//! The `conex` command: its options, and what they lead to.

mod bench;
mod learn;
mod network;
mod output;

use clap::{Args, Parser, Subcommand};
use conex::{Result, Settings};
use std::path::PathBuf;

/// Learns handwritten digits with spiking neurons and STDP, without labels, and says how many unseen ones it recognizes.
#[derive(Parser)]
#[command(name = "conex", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    learn: LearnOptions,
}

#[derive(Subcommand)]
enum Command {
    /// Print a network: structures, populations, projections, sizes, behaviours, memory.
    Describe(DescribeOptions),
    /// Print what each behaviour belongs on and needs.
    Behaviours,
    /// Measure the speed of a workload.
    Bench(bench::BenchOptions),
}

/// What every command that builds the learning network takes.
#[derive(Args, Clone)]
struct NetworkOptions {
    /// Learn the MNIST images in this folder (IDX files, plain or .gz) instead of the digits that come with conex.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Neurons that learn.
    #[arg(long, value_name = "N", default_value_t = 400)]
    neurons: usize,
    /// The seed that every random draw follows from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Threads to use; results do not depend on it. Default: one for the small digits, all cores for MNIST.
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
}

impl NetworkOptions {
    fn settings(&self) -> Settings {
        let default = Settings::default();
        // The digits network is too small to share: its steps take microseconds.
        let threads = self.threads.unwrap_or(if self.data.is_some() { default.threads } else { 1 });
        Settings { seed: self.seed, threads, ..default }
    }
}

#[derive(Args)]
struct LearnOptions {
    #[command(flatten)]
    network: NetworkOptions,
    /// Steps of learning, a millisecond each. Default: eight rounds over the digits, one over MNIST.
    #[arg(long, value_name = "N")]
    steps: Option<u64>,
    /// The folder for recordings and plots, made if it is not there.
    #[arg(long, value_name = "DIR", default_value = "conex-out")]
    out: PathBuf,
    /// Print neither progress nor results, but for what `--json` asks for.
    #[arg(long, short)]
    quiet: bool,
    /// Print one JSON object as the last line.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct DescribeOptions {
    /// What to describe: `digits` (the network that learns), `column` (that of `conex bench column`), or a file that
    /// holds a structure (.ron or .json).
    #[arg(default_value = "digits", value_name = "NETWORK")]
    what: String,
    /// How to draw it.
    #[arg(long = "as", value_enum, default_value_t = Drawing::Table, value_name = "DRAWING")]
    drawing: Drawing,
    #[command(flatten)]
    network: NetworkOptions,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// How a network is drawn.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Drawing {
    /// Every group with all its behaviours and parameters.
    Table,
    /// An indented tree of the structures and what is in them.
    Tree,
    /// A Mermaid diagram, which Markdown viewers draw.
    Mermaid,
}

/// Does what the command line asks.
pub fn run() -> Result<()> {
    let cli = Cli::parse();
    match cli.command {
        None => learn::learn(&cli.learn),
        Some(Command::Describe(options)) => describe(&options),
        Some(Command::Behaviours) => {
            let net = conex::Neocortex::new()?;
            print!("{}", conex::describe::dependency_table(conex::Network::world(&net)));
            Ok(())
        }
        Some(Command::Bench(options)) => bench::bench(&options),
    }
}

fn describe(options: &DescribeOptions) -> Result<()> {
    use conex::Network;
    let mut net = match &options.what[..] {
        "digits" => {
            let task = network::Task::load(options.network.data.as_deref())?;
            network::Learner::build(&options.network, &task)?.net
        }
        "column" => bench::column::build(options.network.settings(), false)?,
        name if std::path::Path::new(name).extension().is_none() => {
            let known = ["digits", "column"].into_iter();
            let suggestion = known.min_by_key(|known| strsim::damerau_levenshtein(known, name));
            let suggestion = suggestion.filter(|near| strsim::damerau_levenshtein(near, name) <= 2);
            let (kind, name) = ("network or file", name.to_string());
            let suggestion = suggestion.map(String::from);
            return Err(conex::systems::Error::UnknownName { kind, name, suggestion }.into());
        }
        file => conex::Neocortex::from_blueprint(&conex::replication::Blueprint::read(file)?, |_| {})?,
    };
    net.build()?;
    let description = net.describe();
    match options.drawing {
        _ if options.json => println!("{}", output::json(&description)),
        Drawing::Table => print!("{description}"),
        Drawing::Tree => print!("{}", description.tree()),
        Drawing::Mermaid => print!("{}", description.mermaid()),
    }
    Ok(())
}
