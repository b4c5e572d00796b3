import { expect, it } from "vitest";
import { EARTHQUAKES, workplace } from "./command.ts";

const { pushforward, failure, json, write, path } = workplace();

const rows = Array.from({ length: 60 }, (_, i) =>
  [
    `user-${i}`,
    i + 1,
    i % 7 === 0 ? "" : 18 + ((i * 37) % 50),
    ["north", "south", "east"][(i * i) % 3],
    i % 2 === 0 ? "true" : "false",
    `2020-${String(1 + (i % 12)).padStart(2, "0")}-15`,
    (Math.abs(Math.sin(i)) * 90).toFixed(3),
    i % 4 === 0 ? 0 : (100 * Math.abs(Math.cos(i))).toFixed(7),
    "EUR",
    `${1 + (i % 9)}/${1 + (i % 8)}/2021`,
    `${String(i % 5).padStart(5, "0")}`,
  ].join(","),
);
const CUSTOMERS = write(
  "customers.csv",
  ["user,number,age,region,active,joined,angle,spent,currency,seen,zip", ...rows, ""].join("\n"),
);

it("remarks on columns with the names of those that score and anomalies add", async () => {
  const scored = write("scored.csv", "a,log_density\n0.5,-1.5\n0.7,-2.5\n0.1,-0.5\n");
  const { out } = await pushforward(["columns", scored]);
  expect(out).toMatch(
    /^log_density .*; named as a column that score or anomalies adds: if it is such a column, leave it out with --exclude$/m,
  );
});

it("shows the kind of each column of a table", async () => {
  const { code, out, err } = await pushforward(["columns", CUSTOMERS]);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(out).toMatchInlineSnapshot(`
    "column    type     kind         missing  values
    user      varchar  left out     0%       text whose values are nearly all different (60 in 60 rows)
    number    bigint   left out     0%       consecutive integers that are nearly all different (60 in 60 rows), like row numbers
    age       bigint   integer      15.0%    18 to 67; within 0 to 116
    region    varchar  categorical  0%       south, north
    active    boolean  boolean      0%       false, true
    joined    date     date         0%       2020-01-15 to 2020-12-15; month
    angle     double   positive     0%       0 to 89.999; at least 0
    spent     double   positive     0%       0 to 99.9960826; at least 0; 0 in 25% of the rows
    currency  varchar  constant     0%       EUR
    seen      varchar  left out     0%       text whose values are nearly all different (60 in 60 rows); dates in which day and month cannot be told apart: convert them in a query, for example by strptime(..., '%d/%m/%Y')
    zip       varchar  categorical  0%       5 labels: 00000, 00001, 00002, 00003, ...
    "
  `);
});

it("shows chosen columns, with the kinds that are stated", async () => {
  const words = [
    "--columns",
    "age,zip,angle,spent",
    "--column",
    "age=categorical",
    "--column=angle=cyclic:180",
  ];
  const { out } = await pushforward([
    "columns",
    CUSTOMERS,
    ...words,
    "--exclude",
    "zip",
    "--column",
    "spent=exclude",
  ]);
  expect(out).toMatchInlineSnapshot(`
    "column  type    kind         missing  values
    age     bigint  categorical  15.0%    44 labels: 18, 19, 20, 21, ...
    angle   double  cyclic       0%       0 to 89.999; within 0 to 180; period 180
    spent   double  left out     0%       as requested
    "
  `);
});

it("prints the bounds of integers and lattices that were stated", async () => {
  const data = write(
    "ages.csv",
    ["age,price", ...rows.map((_, i) => `${20 + (i % 9)},${(i % 8) / 4}`), ""].join("\n"),
  );
  const bounds = { age: { kind: "integer", low: 0, high: 99 }, price: { kind: "lattice", low: -1 } };
  const schema = write("bounds.json", JSON.stringify({ columns: bounds }));
  const [printed] = await json("columns", data, "--schema", schema);
  expect(printed).toMatchObject({ columns: bounds });
  const [again] = await json("columns", data, "--schema", write("again.json", JSON.stringify(printed)));
  expect(again).toEqual(printed);
});

it("prints JSON that --schema reads, with the same result", async () => {
  for (const data of [CUSTOMERS, EARTHQUAKES]) {
    const [printed] = await json("columns", data);
    const schema = write("schema.json", JSON.stringify(printed));
    const [again] = await json("columns", data, "--schema", schema);
    // The reason why a column is left out is then the schema.
    const columns = ({ columns }: Record<string, unknown> = {}) =>
      Object.entries(columns as Record<string, { kind: string }>).map(([name, column]) => [
        name,
        column.kind === "exclude" ? column.kind : column,
      ]);
    expect(columns(again)).toEqual(columns(printed));
  }
  expect((await json("columns", CUSTOMERS, "--columns", "user,age,joined"))[0]).toMatchInlineSnapshot(`
    {
      "columns": {
        "age": {
          "details": "18 to 67; within 0 to 116",
          "kind": "integer",
          "missing": 0.15,
          "remarks": [],
          "type": "BIGINT",
        },
        "joined": {
          "details": "2020-01-15 to 2020-12-15; month",
          "kind": "date",
          "missing": 0,
          "remarks": [],
          "type": "DATE",
        },
        "user": {
          "details": "text whose values are nearly all different (60 in 60 rows)",
          "kind": "exclude",
          "missing": 0,
          "remarks": [],
          "type": "VARCHAR",
        },
      },
      "rows": 60,
    }
  `);
});

it("lets --column replace the kind of a schema, which may have kinds only", async () => {
  const schema = write(
    "kinds.json",
    '{"columns": {"age": "categorical", "spent": {"kind": "bounded", "low": -1, "high": 101}}}',
  );
  const { out } = await pushforward([
    "columns",
    CUSTOMERS,
    "--schema",
    schema,
    "--column",
    "age=integer",
    "--columns",
    "age,spent",
  ]);
  expect(out).toMatchInlineSnapshot(`
    "column  type    kind     missing  values
    age     bigint  integer  15.0%    18 to 67; within 0 to 116
    spent   double  bounded  0%       0 to 99.9960826; within -1 to 101; 0 in 25% of the rows
    "
  `);
});

it("prints the first columns of a wide table, and all with --json", async () => {
  const wide = `SELECT ${Array.from({ length: 1500 }, (_, d) => `(i * ${d + 3}) % 17 AS c${d}`).join(", ")}, 'x' || i AS id FROM range(40) AS t(i)`;
  const { out } = await pushforward(["columns", wide]);
  const lines = out.trimEnd().split("\n");
  expect(lines).toHaveLength(102);
  expect(lines.at(-1)).toBe("... and 1,401 more columns, of which 1 left out; --json prints all");
  const [printed] = await json("columns", wide);
  expect(Object.keys(printed!.columns as object)).toHaveLength(1501);
});

it("prints long names, labels and control characters on one line", async () => {
  const label = `${"x".repeat(50)}\u001b[31m`;
  const query = `SELECT [chr(10) || 'a', '${label}'][1 + i % 2] AS "${"long ".repeat(20)}" FROM range(30) AS t(i)`;
  const { out } = await pushforward(["columns", query]);
  expect(out).toMatchInlineSnapshot(`
    "column                            type     kind         missing  values
    long long long long long long...  varchar  categorical  0%        a, xxxxxxxxxxxxxxxxx...
    "
  `);
});

it("refuses kinds and columns that do not exist", async () => {
  const refused = (...words: string[]) => failure("columns", CUSTOMERS, ...words);
  expect(await refused("--column", "age=integr")).toMatchInlineSnapshot(`
    "2
    Error: The kind of column "age" is not valid: expected one of continuous, integer, lattice, positive, bounded:LOW:HIGH, heavy-tailed, cyclic:PERIOD, categorical, boolean, date, timestamp, time, constant, exclude, received integr.
    Did you mean integer?"
  `);
  expect(await refused("--column", "agee=integer")).toMatchInlineSnapshot(`
    "2
    Error: There is no column "agee": expected user, number, age, region, active, joined, angle, spent, currency, seen, zip.
    Did you mean "age"?"
  `);
  expect(await refused("--column", "integer")).toMatchInlineSnapshot(`
    "2
    Error: --column has an invalid value: expected NAME=KIND, received integer.
    For example: --column age=integer"
  `);
  expect(await refused("--column", "age=bounded")).toMatchInlineSnapshot(`
    "2
    Error: The kind of column "age" is not valid: expected one of continuous, integer, lattice, positive, bounded:LOW:HIGH, heavy-tailed, cyclic:PERIOD, categorical, boolean, date, timestamp, time, constant, exclude, received bounded.
    See pushforward --help."
  `);
  expect(await refused("--column", "age=integer", "--column", "age=lattice")).toMatchInlineSnapshot(`
    "2
    Error: --column gives the kind of "age" twice.
    Give it once."
  `);
  const given = ["--given", "age", "--column", "age=integer", "-o", "unused.safetensors"];
  expect(await failure("fit", CUSTOMERS, ...given)).toMatchInlineSnapshot(`
    "2
    Error: --column age=integer has no effect, because --given has this column.
    Leave out this option: given columns are numbers or labels."
  `);
  expect(await refused("--column", "region=integer")).toMatchInlineSnapshot(`
    "2
    Error: Column "region" of customers.csv cannot be integer: expected numbers, received 'north' in row 1.
    Correct the value, or read it as missing (--na north). Otherwise, state another kind."
  `);
  expect(await refused("--column", "joined=integer")).toMatchInlineSnapshot(`
    "2
    Error: Column "joined" cannot be integer: expected date or categorical or exclude, received values of the type date.
    State another kind, or convert the column."
  `);
  expect(await refused("--column", "age=date")).toMatchInlineSnapshot(`
    "2
    Error: Column "age" cannot be date: expected continuous or integer or lattice or positive or bounded or heavy-tailed or cyclic or categorical or boolean or exclude, received values of the type integer.
    State another kind, or convert the column."
  `);
  expect(await refused("--column", "age=constant")).toMatchInlineSnapshot(`
    "2
    Error: Column "age" cannot be constant: expected one value in all rows, received 44 different values and missing ones.
    See pushforward --help."
  `);
  expect(await refused("--column", "angle=integer")).toMatchInlineSnapshot(`
    "2
    Error: Column "angle" cannot be integer: received the value 0.797.
    State the kind continuous or lattice."
  `);
  expect(await refused("--column", "age=bounded:20:30")).toMatchInlineSnapshot(`
    "2
    Error: Column "age" has values outside its bounds: expected values from 20 to 30, received values from 18 to 67.
    Correct the bounds, or leave such rows out."
  `);
  expect(await refused("--columns", "age,heigth")).toMatchInlineSnapshot(`
    "2
    Error: customers.csv has no column "heigth": expected one of "user", "number", "age", "region", "active", "joined", "angle", "spent", "currency", "seen", "zip".
    Correct the name."
  `);
});

it("names the first value that does not have the kind that is stated", async () => {
  const dates = Array.from({ length: 3000 }, (_, i) =>
    i === 1700 ? "2024-13-45" : new Date(86_400_000 * i).toISOString().slice(0, 10),
  );
  write("dates.csv", ["day", ...dates].join("\n"));
  // Text with so many different values is not read.
  expect(await failure("columns", path("dates.csv"), "--column", "day=date")).toMatchInlineSnapshot(`
    "2
    Error: Column "day" of dates.csv cannot be date: expected dates such as 2020-12-31, received '2024-13-45' in row 1701.
    Correct the value, or read it as missing (--na 2024-13-45). Otherwise, state another kind."
  `);
  write("sizes.csv", 'size\n1\n2\n"1,5"\n');
  expect(await failure("columns", path("sizes.csv"), "--column", "size=positive")).toMatchInlineSnapshot(`
    "2
    Error: Column "size" of sizes.csv cannot be positive: expected numbers, received '1,5' in row 3.
    Read decimal commas with --decimal ",". Otherwise, state another kind."
  `);
  // Strings of digits are text too.
  write("digits.json", '[{"code": "1"}, {"code": "2"}]');
  expect(await failure("columns", path("digits.json"), "--column", "code=integer")).toMatchInlineSnapshot(`
    "2
    Error: Column "code" of digits.json cannot be integer: expected numbers, received text that represents numbers.
    Convert the column in a query."
  `);
});

it("refuses schemas that cannot be read", async () => {
  const refused = (content: string) => failure("columns", CUSTOMERS, "--schema", write("bad.json", content));
  expect(await failure("columns", CUSTOMERS, "--schema", path("none.json"))).toMatchInlineSnapshot(`
    "2
    Error: There is no file none.json.
    Check the path."
  `);
  expect(await refused("age: integer")).toMatchInlineSnapshot(`
    "2
    Error: bad.json is not JSON: expected {"columns": {"age": {"kind": "integer"}}}.
    Write it by pushforward columns DATA --json, and edit it."
  `);
  expect(await refused('{"age": "integer"}')).toMatchInlineSnapshot(`
    "2
    Error: bad.json is not valid at columns: expected an object, received nothing.
    See pushforward --help."
  `);
  expect(await refused('{"columns": {"age": {"knid": "integer"}}}')).toMatchInlineSnapshot(`
    "2
    Error: Column "age" of bad.json is not valid: expected one of kind, low, high, period, received knid (did you mean kind?).
    See pushforward --help."
  `);
  expect(await refused('{"columns": {"age": {"kind": "bounded", "low": 3}}}')).toMatchInlineSnapshot(`
    "2
    Error: Column "age" of bad.json is not valid at kind: expected low and high for the kind bounded, received "bounded".
    See pushforward --help."
  `);
  expect(await refused('{"columns": {"age": {"low": 3, "high": 2}}}')).toMatchInlineSnapshot(`
    "2
    Error: Column "age" of bad.json is not valid at high: expected a number above low, received 2.
    See pushforward --help."
  `);
  expect(await refused('{"columns": {"age": 3}}')).toMatchInlineSnapshot(`
    "2
    Error: bad.json is not valid at columns.age: expected a kind, or an object with the kind of the column, received 3.
    See pushforward --help."
  `);
});

it("says that text which is left out has numbers or dates, in small and in large tables", async () => {
  for (const count of [60, 3000]) {
    const cells = Array.from({ length: count }, (_, i) =>
      [
        i % 30 === 7 ? "NA" : Math.sin(i).toFixed(6),
        `"${i + 1},5"`,
        // Identifiers of four digits, the first of which may be 0.
        String(i).padStart(4, "0"),
        i % 30 === 7 ? "unknown" : new Date(Date.UTC(2000, 0, i)).toISOString().slice(0, 10),
      ].join(","),
    );
    const [{ columns }] = (await json(
      "columns",
      write("text.csv", ["a,b,c,d", ...cells, ""].join("\n")),
    )) as [{ columns: Record<string, { kind: string; remarks: string[] }> }];
    const remarks = Object.entries(columns).map(([name, column]) => [name, column.kind, ...column.remarks]);
    expect(remarks).toEqual([
      ["a", "exclude", "mostly numbers, but also 'NA', so left out: --na reads words as missing"],
      ["b", "exclude", 'numbers with commas, left out: --decimal "," reads decimal commas of a CSV file'],
      ["c", "exclude"],
      ["d", "exclude", "mostly dates or times, but also 'unknown', so left out: --na reads words as missing"],
    ]);
  }
});

it("says that times of day with a time zone become UTC", async () => {
  const query =
    "SELECT CAST(printf('0%d:30:00+02:00', i % 9) AS TIMETZ) AS t, i % 7 AS n FROM range(40) AS r(i)";
  const { out } = await pushforward(["columns", query, "--columns", "t"]);
  expect(out).toMatchInlineSnapshot(`
    "column  type              kind  missing  values
    t       time with tim...  time  0%       00:30:00 to 23:30:00; hour; times with a time zone, which become UTC: to learn local times, convert them in a query, for example by CAST(... AS TIME)
    "
  `);
});

it("says that times with a time zone become UTC", async () => {
  const times = Array.from(
    { length: 40 },
    (_, i) => `2024-01-${10 + (i % 20)}T0${i % 9}:30:00+02:00,${i % 7}`,
  );
  const table = write("zones.csv", ["t,n", ...times, ""].join("\n"));
  const { out } = await pushforward(["columns", table, "--columns", "t"]);
  expect(out).toMatchInlineSnapshot(`
    "column  type       kind       missing  values
    t       timestamp  timestamp  0%       2024-01-09 22:30:00 to 2024-01-29 01:30:00; week, weekday, hour; times with a time zone, which become UTC: to learn local times, convert them in a query, for example by CAST(... AS TIMESTAMPTZ) AT TIME ZONE 'Europe/Berlin'
    "
  `);
});
