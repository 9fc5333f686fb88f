/** Version of Kafka that tests run on unless they say otherwise. */
export const KAFKA_VERSION = "4.3.0";
