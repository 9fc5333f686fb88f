/** Members of a cluster that loses its nodes one by one, the active controller among them. */
import { KAFKA_VERSION } from "./broker_version.ts";
import { loseEachNode } from "./kafka_chaos.ts";
import { startCluster } from "./kafka_cluster.ts";

/** Three brokers take more memory and time than every run of the tests should. */
const wanted = Deno.env.get("KILTER_CLUSTER") === "true";

Deno.test({
  name: "kafka cluster: each node lost once, nothing is lost or doubled" +
    (wanted ? "" : " (skipped: three brokers; KILTER_CLUSTER=true runs it)"),
  ignore: !wanted,
  fn: async () => {
    const cluster = await startCluster(KAFKA_VERSION);
    try {
      await loseEachNode(cluster);
    } finally {
      await cluster.stop();
    }
  },
});
