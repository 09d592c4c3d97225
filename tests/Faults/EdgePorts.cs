namespace OrleansMqtt.Faults;

/// <summary>Where clients connect: the edges that are up, as a load balancer in front of them would know.</summary>
internal sealed class EdgePorts(TestCluster cluster)
{
    private readonly HashSet<ServerProcess> _closed = [];

    /// <summary>No client is sent there any more.</summary>
    public void Close(ServerProcess edge)
    {
        lock (_closed)
        {
            _closed.Add(edge);
        }
    }

    /// <summary>One for a client and its attempt; 0 when no edge is up.</summary>
    public int Take(int number)
    {
        lock (_closed)
        {
            var edges = cluster.Processes.Where(edge => edge is { Port: not 0, IsRunning: true } && !_closed.Contains(edge)).ToList();
            return edges.Count == 0 ? 0 : edges[number % edges.Count].Port;
        }
    }
}
