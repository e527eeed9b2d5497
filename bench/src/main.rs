mod grid;

fn main() {
    grid::run();
}
