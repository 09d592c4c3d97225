namespace OrleansMqtt.Grains;

/// <summary>Lives on the silo that its key names.</summary>
internal interface IRehearsalGrain : IGrainWithStringKey
{
    /// <summary>Does once what a silo does that takes a session partition over, with no partition taken.</summary>
    Task Rehearse();
}
