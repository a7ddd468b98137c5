// What class files of 17 have: records, sealed classes, nests, concatenation and switches by invokedynamic.

sealed interface Modern permits Modern.Point, Modern.Line {
    int size();

    private int hidden() {
        return size() + 1;
    }

    default String text(int i) {
        return "size " + size() + " of " + i + (hidden() > 1 ? '!' : "?");
    }

    record Point(int x, double y) implements Modern {
        public Point {
            if (x < 0) {
                throw new IllegalArgumentException("x is " + x);
            }
        }

        @Override
        public int size() {
            return 1;
        }
    }

    record Line(Point from, Point to) implements Modern {
        static final Line NONE = new Line(new Point(0, 0), new Point(0, 0));

        @Override
        public int size() {
            return from.x + to.x;
        }
    }
}
