/** Whether a file begins as Parquet files do. */
export const isParquet = async (file: Blob): Promise<boolean> => (await file.slice(0, 4).text()) === "PAR1";
