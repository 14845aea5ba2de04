package common;

/** The contents of a record: its partition key, and its number within that key, from 0. */
public record Message(String key, int number) {
    @Override
    public String toString() {
        return key + " " + number;
    }

    public static Message parse(String text) {
        String[] parts = text.split(" ");
        return new Message(parts[0], Integer.parseInt(parts[1]));
    }
}
