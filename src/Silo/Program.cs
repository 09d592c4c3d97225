using OrleansMqtt.Silo;
using OrleansMqtt.Silo.Zilla;

if (args is [ConvertZillaCommand.Name, ..])
{
    return await ConvertZillaCommand.RunAsync(args);
}

if (args is [HashPasswordCommand.Name, ..])
{
    return await HashPasswordCommand.RunAsync(args);
}

// The settings lie beside the program, wherever it is started from.
var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
try
{
    builder.AddOrleansMqtt();
    var app = builder.Build();
    app.MapOrleansMqtt();
    await app.RunAsync();
    return 0;
}
catch (Exception exception) when (StartupFailure.Describe(exception) is { } description)
{
    // A wrong setting is told in one line, not with a stack trace; the host's own word of it is turned off in appsettings.json. All else leaves here unhandled, with its trace.
    await Console.Error.WriteLineAsync(description);
    return 1;
}
