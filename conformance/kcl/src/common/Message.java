package common;

/** What one record says: the how-manieth of its partition key it is, from 0. */
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
