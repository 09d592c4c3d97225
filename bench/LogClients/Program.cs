using System.CommandLine;
using OrleansMqtt.LogClients;

Option<string> servers = new("--bootstrap-servers") { Description = "a Kafka", Required = true };
Option<string[]> transports = new("--transports") { Description = "Wire, Confluent", DefaultValueFactory = _ => ["Confluent", "Wire"], AllowMultipleArgumentsPerToken = true };
Option<int> partitions = new("--partitions") { Description = "partitions of the topic", DefaultValueFactory = _ => 4 };
Option<int> size = new("--size") { Description = "bytes of a value", DefaultValueFactory = _ => 256 };
Option<int> rate = new("--rate") { Description = "records a second; 0: as fast as the window allows", DefaultValueFactory = _ => 0 };
Option<int> window = new("--window") { Description = "records on their way at most", DefaultValueFactory = _ => 20_000 };
Option<double> duration = new("--duration") { Description = "measured seconds of each client", DefaultValueFactory = _ => 8 };

RootCommand root = new("Measures what it costs this process to append records to Kafka and to read them, by each client.") { servers, transports, partitions, size, rate, window, duration };
root.SetAction(async (parsed, cancellation) =>
{
    foreach (var transport in parsed.GetValue(transports)!)
    {
        await using ClientMeasurement measurement = new(parsed.GetValue(servers)!, transport, parsed.GetValue(partitions), parsed.GetValue(size));
        await measurement.PrepareAsync(cancellation);
        var (requestedRate, most) = (parsed.GetValue(rate), parsed.GetValue(window));

        // Once to warm up.
        await measurement.AppendAsync(requestedRate, most, TimeSpan.FromSeconds(2));
        Console.WriteLine(await measurement.AppendAsync(requestedRate, most, TimeSpan.FromSeconds(parsed.GetValue(duration))));
        Console.WriteLine(await measurement.ReadAsync(cancellation));
    }
});
return await root.Parse(args).InvokeAsync();
